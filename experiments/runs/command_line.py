"""How all binaries handle their flags and their users' mistakes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
import contextlib
import re
import sys
from typing import NoReturn
import warnings

from absl import flags, logging

from experiments.runs import interrupts as interrupts_lib

_EXHAUSTED = "RESOURCE_EXHAUSTED"
_NO_DEVICE = "Unable to initialize backend"
_ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def define_key_flags(
  values: flags.FlagValues, define: Callable[[flags.FlagValues], None]
) -> None:
  """Defines flags as those of the program that runs, which `--help` lists."""
  before = set(values)
  define(values)
  for name in set(values) - before:
    values.register_key_flag_for_module(sys.argv[0], values[name])


def check_renamed(
  program: str, argv: Sequence[str], renamed: Mapping[str, str]
) -> None:
  """Ends the process, with a hint, where a flag has its earlier name."""
  for argument in argv[1:]:
    match = re.match(r"--?([^=]*)", argument)
    if match and match[1] in renamed:
      fail(
        program,
        f"`--{match[1]}` is called `--{renamed[match[1]]}` now; use that name",
      )


def quieten() -> None:
  """Stops JAX from logging which accelerators it did not find."""
  if not flags.FLAGS["verbosity"].present:
    logging.set_verbosity(logging.WARNING)


def fail(program: str, message: str, status: int = 1) -> NoReturn:
  """Ends the process with one line on stderr, without a traceback."""
  _say(program, message)
  sys.exit(status)


def _say(program, message):
  # Some games describe themselves in colours.
  text = _ESCAPE.sub("", message)
  text = "".join(char if char.isprintable() else " " for char in text)
  print(f"{program}: {' '.join(text.split())}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _warnings_in_one_line(program):
  with warnings.catch_warnings():
    warnings.showwarning = lambda message, *_: _say(
      program, f"warning: {message}"
    )
    yield


@contextlib.contextmanager
def errors_in_one_line(program: str) -> Iterator[None]:
  """Turns mistakes and interruptions into one line on stderr.

  Warnings are shortened to one line as well.
  """
  try:
    with _warnings_in_one_line(program):
      yield
  except BrokenPipeError:
    raise
  except interrupts_lib.Stopped as error:
    fail(program, str(error), error.status)
  except (ValueError, OSError) as error:
    fail(program, str(error))
  except (MemoryError, RuntimeError) as error:
    # Those of JAX have types that only JAX knows.
    if _NO_DEVICE in str(error):
      fail(program, str(error))
    if isinstance(error, RuntimeError) and _EXHAUSTED not in str(error):
      raise
    fail(
      program,
      "the memory of this machine does not suffice; make the game, the "
      f"batch or the grid smaller: {str(error) or 'allocation failed'}",
    )
  except KeyboardInterrupt:
    fail(program, "interrupted", status=130)


@contextlib.contextmanager
def running(program: str) -> Iterator[interrupts_lib.Interrupts]:
  """Ends the process with one line on mistakes and on signals."""
  with (
    errors_in_one_line(program),
    interrupts_lib.Interrupts(program) as interrupts,
  ):
    yield interrupts
