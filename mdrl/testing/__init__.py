"""Contract checks for people who add games or solvers."""

from mdrl.testing.contracts import check_game as check_game
from mdrl.testing.contracts import check_solver as check_solver
