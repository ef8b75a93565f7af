"""Lists of game strings on a command line."""


def split(text: str) -> list[str]:
  """Splits at semicolons that stand outside of brackets.

  Raises:
    ValueError: If there is no game in the list.
  """
  games, depth, start = [], 0, 0
  for at, char in enumerate(text):
    depth += (char in "([") - (char in ")]")
    if char == ";" and not depth:
      games.append(text[start:at])
      start = at + 1
  games = [game.strip() for game in (*games, text[start:]) if game.strip()]
  if not games:
    raise ValueError(f"`--games` must name a game, got {text!r}")
  return games
