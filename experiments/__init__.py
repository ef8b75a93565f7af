"""The binaries: each reads flags, runs the library and writes files."""

import pathlib
import signal
import sys

_PROGRAM = pathlib.Path("".join(sys.argv[:1])).name
# While a program's modules are imported, before it listens to signals itself,
# Python would answer Ctrl-C by a traceback of whatever is imported just then.
if (_PROGRAM == "-m" or _PROGRAM.startswith("mdrl-")) and signal.getsignal(
  signal.SIGINT
) is signal.default_int_handler:
  signal.signal(signal.SIGINT, signal.SIG_DFL)
