"""Policies of environments: tables and networks."""

from mdrl.policies.base import Outputs as Outputs
from mdrl.policies.base import Policy as Policy
