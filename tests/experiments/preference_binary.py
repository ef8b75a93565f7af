"""Calls the binaries on preference games within this process."""

import contextlib
import io

from absl import flags
import jax

from experiments import (
    preference_league,
    preference_settings,
    solve_preference,
)
from tests.experiments import binary


def call(*arguments: str, league: bool = False) -> binary.Result:
  """Returns the exit status and all that is printed."""
  program = preference_league if league else solve_preference
  x64 = jax.config.read("jax_enable_x64")
  status = 0
  with (
      contextlib.redirect_stdout(io.StringIO()) as stdout,
      contextlib.redirect_stderr(io.StringIO()) as stderr,
  ):
    try:
      values = flags.FlagValues()
      preference_settings.define(values)
      rest = values(["program", "--cache_dir=", *map(str, arguments)])
      program.main(rest, values)
    except flags.Error as error:
      status = 1
      print(error, file=stderr)
    except SystemExit as stop:
      status = stop.code if isinstance(stop.code, int) else 1
    finally:
      jax.config.update("jax_enable_x64", x64)
  return binary.Result(status, stdout.getvalue(), stderr.getvalue())
