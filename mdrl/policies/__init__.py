"""Policies of environments: tables and networks."""

from mdrl.policies.base import Outputs as Outputs
from mdrl.policies.base import Policy as Policy
from mdrl.policies.masks import divergence as divergence
from mdrl.policies.masks import entropy as entropy
from mdrl.policies.masks import log_probabilities as log_probabilities
from mdrl.policies.masks import probabilities as probabilities
