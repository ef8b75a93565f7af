"""Splits files of Gambit's formats into tokens, with their places."""

from collections.abc import Callable
from fractions import Fraction
import pathlib
import re
from typing import TypeVar

_Entry = TypeVar("_Entry")

# A backslash counts only before a quotation mark, which it makes a part of the
# text. What opens a text and nothing closes is a token of its own.
_TOKEN = re.compile(
  r"""\s*+(?:
    "(?P<text>(?:[^"\\]++|\\"|\\(?!"))*+)"
    |(?P<brace>[{}])
    |(?P<comma>,)
    |(?P<number>[+-]?(?:[0-9]++/[0-9]++|(?:[0-9]++\.?[0-9]*+|\.[0-9]++)
      (?:[eE][+-]?[0-9]++)?)(?=[\s{},"]|\Z))
    |(?P<word>[^\s{},"]++)
    |(?P<open>")
    |(?P<end>\Z))""",
  re.ASCII | re.VERBOSE,
)
# Longer numbers cannot be meant as payoffs, and would be slow to compute with.
_MAX_DIGITS = 1000
# Short numbers are cached, as they repeat; others may be as many as payoffs.
_SHORT = 8
_SHOWN = 40


class Tokens:
  """The tokens of a file, one at a time.

  Attributes:
    kind: The kind of the next token: `text`, `brace`, `comma`, `number`,
      `word`, `open` for a text without an end, or `end`.
    value: Its text, without quotation marks.
    start: Its place in the file.
  """

  def __init__(self, path: pathlib.Path, content: bytes):
    """Reads the first token.

    Args:
      path: Of the file, for messages.
      content: Of the file: UTF-8, with or without a byte-order mark, or else
        Latin-1.
    """
    self._path = path
    self._content = _decoded(content)
    self._numbers = {}
    self._matches = _TOKEN.finditer(self._content)
    self.advance()

  def advance(self) -> None:
    """Goes on to the next token; not to be called at the end."""
    match = next(self._matches)
    self.kind = match.lastgroup or ""
    self.value, self.start = match[self.kind], match.start(self.kind)
    if self.kind == "text":
      self.start -= 1
      self.value = self.value.replace('\\"', '"')

  def next_is(self, kind: str, value: str | None = None) -> bool:
    """Returns whether the next token is of a kind, and has a value if given."""
    return self.kind == kind and value in (None, self.value)

  def take(self, kind: str, expected: str, value: str | None = None) -> str:
    """Returns the value of the next token, and goes on.

    Args:
      kind: The kind it must have.
      expected: What to call that in the message.
      value: The value it must have, if given.

    Raises:
      ValueError: If the next token is another.
    """
    if not self.next_is(kind, value):
      raise self.error(expected)
    taken = self.value
    self.advance()
    return taken

  def take_count(self, expected: str) -> int:
    """Returns the next token as a whole number without sign, and goes on.

    Raises:
      ValueError: If it is not such a number.
    """
    digits = self.value
    if self.kind != "number" or not digits.isdecimal():
      raise self.error(expected)
    if len(digits) > _MAX_DIGITS:
      raise self.error(f"{expected} of at most {_MAX_DIGITS} digits")
    self.advance()
    return int(digits)

  def take_number(self, expected: str) -> Fraction:
    """Returns the next token as an exact number, and goes on.

    Raises:
      ValueError: If it is not a number, or out of the range of floating point.
    """
    if self.kind != "number":
      raise self.error(
        expected, "write it such as 3, -0.5, 2/3 or 1e-3, without a unit"
      )
    number = self._numbers.get(self.value)
    if number is None:
      number = self._exact()
      if len(self.value) <= _SHORT:
        self._numbers[self.value] = number
    self.advance()
    return number

  def take_payoff(self) -> Fraction:
    """Returns the next token as an exact number, and skips a comma after it.

    Raises:
      ValueError: If it is not a number, or out of the range of floating point.
    """
    payoff = self.take_number("a payoff")
    if self.kind == "comma":
      self.advance()
    return payoff

  def take_list(
    self, what: str, entry: Callable[[], _Entry]
  ) -> tuple[_Entry, ...]:
    """Returns the entries of a list in braces, and goes on after it.

    Args:
      what: What to call the entries in messages, in the plural.
      entry: Reads one of them.

    Raises:
      ValueError: If there is no list, or it is empty.
    """
    self.take("brace", f"{{ and a list of {what}", "{")
    if self.next_is("brace", "}"):
      raise self.error(f"a list of at least one of the {what}")
    entries = []
    while not self.next_is("brace", "}"):
      entries.append(entry())
    self.advance()
    return tuple(entries)

  def take_prologue(self, word: str, version: str) -> int:
    """Returns the number of players, and goes on after the list of them.

    Args:
      word: The first word of files of the format.
      version: The version of the format.

    Raises:
      ValueError: If the file does not begin like this.
    """
    self.take("word", f"{word}, with which such a file begins", word)
    self.take("number", f"version {version} of the format", version)
    if self.value not in ("R", "D"):
      raise self.error("R or D, the kind of numbers")
    self.take("word", "R or D, the kind of numbers")
    self.take("text", "the title of the game in quotation marks")
    return len(self.take_list("players", lambda: self.take_label("a player")))

  def take_label(self, whose: str) -> str:
    """Returns the next token as an entry of a list of names, and goes on.

    Raises:
      ValueError: If it is none.
    """
    return self.take("text", f"the name of {whose} in quotation marks, or }}")

  def _exact(self):
    digits, _, exponent = self.value.lower().partition("e")
    if len(self.value) > _MAX_DIGITS or abs(int(exponent or 0)) > _MAX_DIGITS:
      raise self.error("a number that a double holds", "choose another unit")
    if "/" in digits and not int(digits.partition("/")[2]):
      raise self.error("a fraction whose denominator is not 0")
    number = Fraction(self.value)
    if not _is_double(number):
      raise self.error("a number that a double holds", "choose another unit")
    return number

  def error(self, expected: str, remedy: str = "") -> ValueError:
    """Returns the error for a next token other than expected."""
    shown = {
      "end": "the end of the file",
      "open": "a quotation mark that nothing closes",
    }.get(self.kind)
    if shown is None:
      said = self.value
      said = said if len(said) <= _SHOWN else f"{said[:_SHOWN]}..."
      shown = f"the text {said!r}" if self.kind == "text" else repr(said)
    return self.fault(
      f"expected {expected}, got {shown}" + (f"; {remedy}" if remedy else ""),
      self.start,
    )

  def fault(self, message: str, start: int) -> ValueError:
    """Returns the error to raise about a place in the file."""
    return ValueError(
      f"`game` cannot be read from {str(self._path)!r}: {self.place(start)}: "
      f"{message}"
    )

  def place(self, start: int) -> str:
    """Returns the line and the column of a place, both from 1."""
    line = self._content.count("\n", 0, start) + 1
    column = start - self._content.rfind("\n", 0, start)
    return f"line {line}, column {column}"


def _is_double(number):
  try:
    return bool(float(number)) or not number
  except OverflowError:
    return False


def _decoded(content):
  try:
    text = content.decode("utf-8-sig")
  except UnicodeDecodeError:
    text = content.decode("latin-1")
  # As elsewhere in Python, so that lines are counted whoever wrote them.
  return text.replace("\r\n", "\n").replace("\r", "\n")
