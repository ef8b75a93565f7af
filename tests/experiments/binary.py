"""Calls `solve_game` within this process, as a shell would."""

import contextlib
import io
from typing import NamedTuple

from absl import flags
from absl.testing import flagsaver
import jax

from experiments import solve_game


class Result(NamedTuple):
  status: int
  stdout: str
  stderr: str


def call(*arguments: str, cache_dir: str = "") -> Result:
  """Returns the exit status and all that is printed."""
  argv = ["solve_game", f"--cache_dir={cache_dir}", *map(str, arguments)]
  x64 = jax.config.read("jax_enable_x64")
  saved = flagsaver.save_flag_values()
  status = 0
  with (
      contextlib.redirect_stdout(io.StringIO()) as stdout,
      contextlib.redirect_stderr(io.StringIO()) as stderr,
  ):
    try:
      solve_game.main(solve_game.parse_flags(argv))
    except SystemExit as stop:
      status = stop.code if isinstance(stop.code, int) else 1
    finally:
      jax.config.update("jax_enable_x64", x64)
      # The overrides of hyper-parameters are flags of this command line only.
      for name in list(flags.FLAGS):
        if name.split(".")[0] == "config":
          delattr(flags.FLAGS, name)
      saved.pop("config", None)
      flagsaver.restore_flag_values(
          {k: v for k, v in saved.items() if not k.startswith("config")}
      )
  return Result(status, stdout.getvalue(), stderr.getvalue())
