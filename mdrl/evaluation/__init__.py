"""Best responses, gaps, divergences and exact values.

The modules that compute equilibria, `linear_program`, `quantal_response` and
`preferences`, need SciPy, whose import takes a third of a second: import them
by name.
"""

from mdrl.evaluation.gaps import coarse_correlated_gap as coarse_correlated_gap
from mdrl.evaluation.gaps import duality_gap as duality_gap
from mdrl.evaluation.gaps import exploitability as exploitability
from mdrl.evaluation.gaps import improvements as improvements
from mdrl.evaluation.gaps import nash_conv as nash_conv
from mdrl.evaluation.gaps import regularized_gap as regularized_gap
