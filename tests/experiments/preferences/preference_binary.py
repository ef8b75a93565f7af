"""Calls the binaries on preference games within this process."""

from experiments import preference_league, solve_preference
from experiments.preferences import settings as settings_lib
from tests.experiments import binary


def call(*arguments: str, league: bool = False) -> binary.Result:
  """Returns the exit status and all that is printed."""
  program = preference_league if league else solve_preference
  return binary.call_main(program, settings_lib.define, *arguments)
