"""Policies of environments: tables and networks."""

from mdrl.policies.architecture import Architecture as Architecture
from mdrl.policies.base import Outputs as Outputs
from mdrl.policies.base import Policy as Policy
from mdrl.policies.evaluation import outputs_everywhere as outputs_everywhere
from mdrl.policies.evaluation import to_policies as to_policies
from mdrl.policies.infostates import Infostates as Infostates
from mdrl.policies.infostates import of_game as of_game
from mdrl.policies.masks import divergence as divergence
from mdrl.policies.masks import entropy as entropy
from mdrl.policies.masks import log_probabilities as log_probabilities
from mdrl.policies.masks import probabilities as probabilities
from mdrl.policies.networks import NetworkPolicy as NetworkPolicy
from mdrl.policies.networks import create as create
from mdrl.policies.table import TablePolicy as TablePolicy
from mdrl.policies.table import UniformPolicy as UniformPolicy
from mdrl.policies.table import from_policies as from_policies
