"""Contract checks for people who add games, solvers or other methods."""

from mdrl.testing.contracts import check_game as check_game
from mdrl.testing.contracts import check_solver as check_solver
from mdrl.testing.env_checks import check_env as check_env
from mdrl.testing.method_checks import check_method as check_method
from mdrl.testing.method_checks import check_tiers as check_tiers
from mdrl.testing.replays import check_replays as check_replays
