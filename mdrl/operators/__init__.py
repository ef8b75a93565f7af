"""First-order methods for zeros of operators: one algorithm, one file."""

from mdrl.operators.anchored_extragradient import (
  AnchoredExtragradient as AnchoredExtragradient,
)
from mdrl.operators.base import FiniteSum as FiniteSum
from mdrl.operators.base import Linear as Linear
from mdrl.operators.base import Operator as Operator
from mdrl.operators.base import SumOperator as SumOperator
from mdrl.operators.base import of_game as of_game
from mdrl.operators.extragradient import Extragradient as Extragradient
from mdrl.operators.halpern import Halpern as Halpern
from mdrl.operators.optimistic_gradient import (
  OptimisticGradient as OptimisticGradient,
)
from mdrl.operators.proximal_point import ProximalPoint as ProximalPoint
from mdrl.operators.variance_reduced_halpern import (
  VarianceReducedHalpern as VarianceReducedHalpern,
)
