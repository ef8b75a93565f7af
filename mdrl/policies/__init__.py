"""Policies of environments: tables and networks."""

from mdrl.policies.architecture import Architecture as Architecture
from mdrl.policies.base import Outputs as Outputs
from mdrl.policies.base import Policy as Policy
from mdrl.policies.masks import divergence as divergence
from mdrl.policies.masks import entropy as entropy
from mdrl.policies.masks import log_probabilities as log_probabilities
from mdrl.policies.masks import probabilities as probabilities
from mdrl.policies.networks import NetworkPolicy as NetworkPolicy
from mdrl.policies.networks import create as create
