"""Environments by the strings of OpenSpiel's games."""

from collections.abc import Callable
import os
import re
from typing import Any

import jax

from mdrl.envs import base as env_lib
from mdrl.envs import (
  compiled,
  dark_hex,
  goofspiel,
  hanabi,
  liars_dice,
  phantom_tic_tac_toe,
)

_TURNS = "turn_based_simultaneous_game("


def load(
  name: str,
  *,
  dtype: jax.typing.DTypeLike | None = None,
  native: bool | None = None,
  cache_dir: str | os.PathLike[str] | None = None,
  max_histories: int | None = None,
) -> env_lib.Environment[Any]:
  """Returns the environment of a game.

  Dark hex, phantom tic-tac-toe, Hanabi, goofspiel and liar's dice are native,
  at any size; all other games are compiled, with the tables of their histories.
  Native games take OpenSpiel's parameters of their rules, and a few more:
  `side`, and `first_stones` as in `first_stones=4/0`, of the phantom games.

  Args:
    name: OpenSpiel's string of a game, or the path of an `.efg` or `.nfg` file.
      Simultaneous moves are made in turns.
    dtype: Floating type of returns and observations; None for JAX's default.
    native: Whether to insist on a native environment, or on a compiled one.
    cache_dir: Where compiled trees are kept between runs, as `compile_game`
      says.
    max_histories: The largest tree to compile; None for `compile_game`'s.

  Raises:
    ValueError: If there is no such game, parameter or value, or no native
      environment of the game, or it has too large a tree.
  """
  found = re.fullmatch(r"\s*(\w+)\s*(?:\((.*)\))?\s*", _sequential(name))
  short = found.group(1) if found else ""
  if native or (native is None and short in _NATIVE):
    if short not in _NATIVE:
      raise ValueError(
        f"`native` asks for one of {', '.join(_NATIVE)}, got {name!r}; leave "
        "it out to compile the game"
      )
    texts = _parameters(short, (found.group(2) if found else None) or "")
    return _NATIVE[short](_Parameters(short, texts), dtype)
  return _compiled(name, dtype, cache_dir, max_histories)


def _compiled(name, dtype, cache_dir, max_histories):
  """Returns the environment of a game that is compiled."""
  # Native games do without OpenSpiel.
  from mdrl.compile import openspiel

  limit = {} if max_histories is None else {"max_histories": max_histories}
  game, index = openspiel.compile_game(
    name, dtype=dtype, cache_dir=cache_dir, histories=True, **limit
  )
  return compiled.environment(game, index)


def _sequential(name):
  """Returns the string of the game that is played in turns."""
  text = name.strip()
  if text.startswith(_TURNS) and text.endswith(")"):
    return text[len(_TURNS) : -1].strip().removeprefix("game=")
  return text


def _parameters(short, text):
  """Returns what a string says of each parameter, as it says it."""
  given = {}
  for part in filter(None, (part.strip() for part in text.split(","))):
    key, equals, value = (word.strip() for word in part.partition("="))
    if not equals or key in given:
      raise ValueError(
        f"`name` must give each parameter once, as in {short}(name=value), got "
        f"{part!r}"
      )
    given[key] = value
  return given


class _Parameters:
  """Parameters that are taken one by one, until none is left."""

  def __init__(self, short: str, given: dict[str, str]):
    self._short, self._given = short, given
    self._known: list[str] = []

  def take(self, key: str, default: Any, kind: Callable[[str], Any]) -> Any:
    """Returns the value of a parameter."""
    self._known.append(key)
    text = self._given.pop(key, None)
    if text is None:
      return default
    try:
      return kind(text)
    except (ValueError, KeyError):
      raise ValueError(
        f"`{key}` of {self._short} must be {_KINDS[kind]}, got {text!r}"
      ) from None

  def take_one_of(self, key: str, values: dict[str, Any]) -> Any:
    """Returns what a value stands for; the first is the default."""
    text = self.take(key, next(iter(values)), str)
    if text not in values:
      raise ValueError(
        f"`{key}` of {self._short} must be {' or '.join(values)} in a native "
        f"environment, got {text!r}; native=False compiles other games, if "
        "they are small enough"
      )
    return values[text]

  def fields(self, cls: type, names: tuple[str, ...], **more: Any) -> Any:
    """Returns an environment whose fields are OpenSpiel's parameters."""
    values = {}
    for key in names:
      default = getattr(cls, key)
      values[key] = self.take(key, default, _KIND_OF[type(default)])
    return self.made(cls, **values, **more)

  def made(self, cls: type, **values: Any) -> Any:
    """Returns an environment, if all parameters were taken."""
    if self._given:
      raise ValueError(
        f"`name` has parameters that the native environment of {self._short} "
        f"does not know: {', '.join(self._given)}; it knows "
        f"{', '.join(self._known)}, and native=False compiles other games, if "
        "they are small enough"
      )
    return cls(**values)


def _truth(text):
  return {"true": True, "false": False}[text.lower()]


def _cells(text):
  first, second = text.split("/")
  return int(first), int(second)


_KINDS = {
  int: "a whole number",
  _truth: "True or False",
  _cells: "two cells, such as 4/0",
  str: "text",
}
_KIND_OF = {int: int, bool: _truth, str: str}


def _goofspiel(given, dtype):
  names = (
    "num_cards",
    "num_turns",
    "players",
    "points_order",
    "returns_type",
    "imp_info",
    "egocentric",
  )
  return given.fields(goofspiel.Goofspiel, names, dtype=dtype)


def _liars_dice(given, dtype):
  names = ("players", "numdice", "dice_sides", "bidding_rule")
  return given.fields(liars_dice.LiarsDice, names, dtype=dtype)


def _hanabi(given, dtype):
  names = (
    "players",
    "colors",
    "ranks",
    "hand_size",
    "max_information_tokens",
    "max_life_tokens",
  )
  return given.fields(hanabi.Hanabi, names, dtype=dtype)


def _dark_hex(given, dtype):
  side = given.take("board_size", 3, int)
  return _phantom(
    given,
    dark_hex.DarkHex,
    {"cdh": False, "adh": True},
    num_rows=given.take("num_rows", side, int),
    num_cols=given.take("num_cols", side, int),
    dtype=dtype,
  )


def _phantom_ttt(given, dtype):
  return _phantom(
    given,
    phantom_tic_tac_toe.PhantomTicTacToe,
    {"classical": False, "abrupt": True},
    side=given.take("side", 3, int),
    dtype=dtype,
  )


def _phantom(given, cls, versions, **values):
  abrupt = given.take_one_of("gameversion", versions)
  given.take_one_of("obstype", {"reveal-nothing": None})
  stones = given.take("first_stones", None, _cells)
  return given.made(cls, abrupt=abrupt, first_stones=stones, **values)


_NATIVE = {
  "dark_hex": _dark_hex,
  "goofspiel": _goofspiel,
  "hanabi": _hanabi,
  "liars_dice": _liars_dice,
  "phantom_ttt": _phantom_ttt,
}
