"""Calls binaries within this process, as a shell would."""

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


def call_main(program, define, *arguments) -> Result:
  """Calls a program whose flags are not those of the process.

  Args:
    program: A module with a `main`.
    define: Defines its flags.
    *arguments: Of the command line; nothing is cached unless they say so.
  """
  x64, status = jax.config.read("jax_enable_x64"), 0
  with (
    contextlib.redirect_stdout(io.StringIO()) as stdout,
    contextlib.redirect_stderr(io.StringIO()) as stderr,
  ):
    try:
      values = flags.FlagValues()
      define(values)
      rest = values(["program", "--cache_dir=", *map(str, arguments)])
      program.main(rest, values)
    except flags.Error as error:
      status = 1
      print(f"program: {error}", file=stderr)
    except SystemExit as stop:
      status = stop.code if isinstance(stop.code, int) else 1
    finally:
      jax.config.update("jax_enable_x64", x64)
  return Result(status, stdout.getvalue(), stderr.getvalue())


def call(*arguments: str, cache_dir: str = "") -> Result:
  """Calls `solve_game`; returns the exit status and all that is printed."""
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
