"""Starts a binary, as `python -m` or as a command that was installed."""

from collections.abc import Callable, Sequence
import contextlib
import gc
import os
import pathlib
import re
import signal
import sys
from typing import NoReturn

from absl import app, flags

from experiments.runs import command_line

# New objects between collections of garbage. Imports and traces of programs
# leave hundreds of thousands that stay, and visiting them time and again takes
# a twentieth of a short run.
_OBJECTS = 50_000
# What a shell reports of a program whose reader went away.
_BROKEN_PIPE = 128 + 13


def run(
  module: str,
  doc: str | None,
  main: Callable[[Sequence[str]], None],
  define: Callable[[Sequence[str]], list[str]],
) -> NoReturn:
  """Parses the flags of this process, runs `main` and ends the process.

  Args:
    module: Dotted name of the binary, of which the last part is the program.
    doc: Its docstring, which heads `--help`.
    main: Called with what is left of the command line.
    define: Defines flags and returns `parse` of a command line.
  """
  gc.set_threshold(_OBJECTS)
  name = module.rpartition(".")[2]

  def parsed(argv):
    _define_help(module, doc or "")
    return _parsed(name, define, argv)

  _open_streams()
  # Figures need no window, whatever was chosen for other programs.
  os.environ["MPLBACKEND"] = "agg"
  try:
    try:
      app.run(main, flags_parser=parsed)
    finally:
      # From here on Python's own answer would be a traceback.
      if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
      sys.stdout.flush()
  except BrokenPipeError:
    # As in `| head`.
    _give_up_streams()
    sys.exit(_BROKEN_PIPE)
  except OSError as error:
    # Binaries name files themselves: it was a stream that could not be written.
    with contextlib.suppress(OSError):
      print(f"{name}: cannot write to stdout: {error}", file=sys.stderr)
    _give_up_streams()
    sys.exit(1)
  except SystemExit as end:
    _leave(end.code)
    raise
  sys.exit()


def _leave(code):
  """Ends the process at once if it would wait for a compiler otherwise.

  Its program has no more updates to make.
  """
  tiers = sys.modules.get("mdrl.tiers")
  if tiers is None or not tiers.is_compiling():
    return
  if isinstance(code, str):
    print(code, file=sys.stderr)
  sys.stdout.flush()
  sys.stderr.flush()
  os._exit(code if isinstance(code, int) else int(code is not None))


def _parsed(name, define, argv):
  try:
    rest = define(argv)
  except flags.Error as error:
    _refuse(name, error)
  if len(rest) > 1:
    command_line.fail(
      name,
      f"unexpected arguments: {' '.join(rest[1:])}; flags are --NAME=VALUE",
    )
  return rest


def parse(argv: Sequence[str]) -> list[str]:
  """Parses flags that are defined; a mistake ends the process in one line."""
  try:
    return flags.FLAGS(list(argv))
  except flags.Error as error:
    _refuse(pathlib.Path(argv[0]).stem, error)


def _refuse(name, error) -> NoReturn:
  command_line.fail(name, f"{error}; --help lists the flags")


def _open_streams():
  """Makes the streams accept any text, and opens those that were closed."""
  for name in ("stdout", "stderr"):
    if getattr(sys, name) is None:
      setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
    # Names of files need not be text, nor what is printed be in ASCII.
    getattr(sys, name).reconfigure(errors="backslashreplace")


def _give_up_streams():
  """Redirects the streams to nowhere, so that the final flush cannot fail."""
  nowhere = os.open(os.devnull, os.O_WRONLY)
  for stream in (sys.stdout, sys.stderr):
    os.dup2(nowhere, stream.fileno())


class _Help(flags.BooleanFlag):
  """A flag that prints something, and ends the process with success."""

  def __init__(self, name, short_name, summary, text):
    super().__init__(
      name, False, summary, short_name=short_name, allow_override=True
    )
    self._text = text

  def parse(self, argument):
    if self._parse(argument):
      print(self._text())
      sys.exit()


def _define_help(module, doc):
  """Replaces absl's help flags, which exit with status 1."""

  def own():
    for flag in flags.FLAGS.get_flags_for_module(module):
      flags.FLAGS.register_key_flag_for_module(sys.argv[0], flag)
    return (
      f"{_spelled(doc)}\nflags:\n{flags.FLAGS.main_module_help()}\n\n"
      "Try --helpfull to get a list of all flags."
    )

  def full():
    return f"{_spelled(doc)}\nflags:\n{flags.FLAGS.get_help()}"

  for name, short_name, summary, text in (
    ("help", "h", "show this help", own),
    ("helpshort", "?", "show this help", own),
    ("helpfull", None, "show full help", full),
  ):
    flags.DEFINE_flag(_Help(name, short_name, summary, text))


def _spelled(doc):
  """Returns the documentation with commands in the form that was typed."""
  if not pathlib.Path(sys.argv[0]).name.startswith("mdrl-"):
    return doc
  return re.sub(
    r"python -m experiments\.(\w+)",
    lambda match: f"mdrl-{match[1].replace('_', '-')}",
    doc,
  )
