"""Shortens games' names and messages to what an error message can show."""

from collections.abc import Iterator
import contextlib
import os
import re
from typing import Any

# Escape sequences of terminals, such as colours and cursor movements.
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_UNPRINTABLE = re.compile(r"[^\S ]+|[\x00-\x1f\x7f-\x9f]")
_LONGEST = 160


def title(game: Any) -> str:
  """Returns a game's string as a line of text."""
  return _short(_UNPRINTABLE.sub(" ", _ESCAPES.sub("", str(game))))


def quoted(name: str) -> str:
  """Returns the name of an infostate as a literal of one line."""
  return repr(_short(_ESCAPES.sub("", name)))


def line(text: Any) -> str:
  """Returns the words of a message of OpenSpiel on one line."""
  return " ".join(title(text).split())


@contextlib.contextmanager
def without_messages() -> Iterator[None]:
  """Keeps OpenSpiel from printing the errors that it also raises."""
  try:
    stderr = os.dup(2)
  except OSError:
    # There is none to print to.
    yield
    return
  with open(os.devnull, "wb") as nowhere:
    os.dup2(nowhere.fileno(), 2)
  try:
    yield
  finally:
    os.dup2(stderr, 2)
    os.close(stderr)


def _short(text):
  if len(text) <= _LONGEST:
    return text
  half = _LONGEST // 2
  return f"{text[:half]} ... {text[-half:]}"
