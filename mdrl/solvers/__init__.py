"""Solvers: one algorithm, one paper, one file."""

from mdrl.solvers import preference_variants as preference_variants
from mdrl.solvers.anchored_mirror_prox import (
  AnchoredMirrorProx as AnchoredMirrorProx,
)
from mdrl.solvers.apo import APO as APO
from mdrl.solvers.averaged import Averaged as Averaged
from mdrl.solvers.base import Solver as Solver
from mdrl.solvers.behavioral import Behavioral as Behavioral
from mdrl.solvers.comal import Comal as Comal
from mdrl.solvers.egpo import EGPO as EGPO
from mdrl.solvers.iterative_dpo import IterativeDPO as IterativeDPO
from mdrl.solvers.iterative_ipo import IterativeIPO as IterativeIPO
from mdrl.solvers.magnetic import MagneticMirrorDescent as MagneticMirrorDescent
from mdrl.solvers.magnetic_refreshed import RefreshedMagnet as RefreshedMagnet
from mdrl.solvers.mirror_descent import MirrorDescent as MirrorDescent
from mdrl.solvers.mirror_prox import MirrorProx as MirrorProx
from mdrl.solvers.monte_carlo import MonteCarlo as MonteCarlo
from mdrl.solvers.nash_ema import NashEMA as NashEMA
from mdrl.solvers.nash_md import NashMD as NashMD
from mdrl.solvers.nash_mirror_prox import NashMirrorProx as NashMirrorProx
from mdrl.solvers.neurd import NeuRD as NeuRD
from mdrl.solvers.onpo import ONPO as ONPO
from mdrl.solvers.optimistic import (
  OptimisticMirrorDescent as OptimisticMirrorDescent,
)
from mdrl.solvers.regret_matching import (
  AlternatingRegretMatching as AlternatingRegretMatching,
)
from mdrl.solvers.regret_matching import RegretMatching as RegretMatching
from mdrl.solvers.regret_rules import Discounted as Discounted
from mdrl.solvers.regret_rules import Plus as Plus
from mdrl.solvers.regret_rules import Predictive as Predictive
from mdrl.solvers.regret_rules import Vanilla as Vanilla
from mdrl.solvers.rlhf import RLHF as RLHF
from mdrl.solvers.schedules import Function as Function
from mdrl.solvers.schedules import LinearDecay as LinearDecay
from mdrl.solvers.schedules import PowerDecay as PowerDecay
from mdrl.solvers.spo_queue import QueueSPO as QueueSPO
from mdrl.solvers.srpo import SRPO as SRPO
from mdrl.solvers.time_averaged import TimeAveraged as TimeAveraged
