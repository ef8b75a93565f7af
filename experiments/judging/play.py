"""Plays matches, and writes their results."""

from collections.abc import Mapping, Sequence
import itertools
import json
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from experiments.judging import subjects
from experiments.runs import fingerprint as fingerprint_lib
from experiments.runs import folder as folder_lib
from experiments.runs import host_loop, memory, program_cache
from experiments.runs import interrupts as interrupts_lib
from experiments.runs import jobs as jobs_lib
from mdrl import run
from mdrl.judges import intervals, matches

_DECISIVE = "game policies batch confidence seed precision".split()
_RECORDED = (*_DECISIVE, "games")
_CHECKPOINTS = 10
# Copies of what is drawn for a batch.
_COPIES = 4


class Outcome(NamedTuple):
  """What matches came to.

  Attributes:
    result: As `result.json` holds it.
    summary: One line of it.
  """

  result: dict[str, Any]
  summary: str


def play(
  names: Sequence[str],
  given: Mapping[str, Any],
  folder: folder_lib.Folder,
  signals: interrupts_lib.Interrupts,
) -> Outcome:
  """Plays all matches, or what is left of them, and writes the results.

  Args:
    names: Of the policies.
    given: Flags by name.
    folder: Of the run.
    signals: Ends it in good order.

  Raises:
    ValueError: If there is no such game or policy, or a file cannot be written.
    Stopped: By a signal.
  """
  jax.config.update("jax_enable_x64", given["precision"] == "float64")
  program_cache.keep(given["cache_dir"])
  name = subjects.game_name(given["game"], "policies", names)
  stage = subjects.find_stage(name, "policies", names, given)
  policies = {
    each: subjects.load_policy("policies", each, stage) for each in names
  }
  jobs = [
    _job(pair, policies, stage, given) for pair in _pairs(names, stage.env)
  ]
  flags = {each: given[each] for each in _RECORDED} | {"game": name}
  _check_games(folder, flags)
  decisive = fingerprint_lib.Decisive(
    {each: flags[each] for each in _DECISIVE},
    subjects.contents(stage, policies),
  )
  host_loop.begin(folder, decisive, signals, flags)
  done = host_loop.drive(
    jobs,
    folder,
    decisive.fingerprint(),
    signals,
    save_seconds=given["save_seconds"],
    updates_flag="games",
  )
  result = {
    "game": name,
    "confidence": given["confidence"],
    "matches": [_match(finished) for finished in done],
  }
  with signals.noted():
    text = json.dumps(result, indent=2) + "\n"
    folder.write("result.json", lambda file: file.write(text.encode("utf-8")))
  return Outcome(result, _summary(result, done, folder.path))


def _pairs(names, env):
  """Returns who play each other."""
  if len(names) > 1 and env.num_players < 2:
    raise ValueError(
      "`--policies` must be one for a game of one player, got "
      f"{','.join(names)}; play them one by one"
    )
  return list(itertools.combinations(names, min(len(names), 2)))


def _check_games(folder, flags):
  """Raises ValueError where a run that goes on has played more already."""
  if folder.recorded is None:
    return
  before = folder.recorded["flags"].get("games")
  if isinstance(before, int) and flags["games"] < before:
    raise ValueError(
      f"`--games` must be at least the {before:,} of the run in {folder.path}, "
      f"got {flags['games']:,}; choose another --out for a new run"
    )


def _job(pair, policies, stage, given):
  """Returns the job of one match."""
  env = stage.env
  rows = matches.seatings(len(pair), env.num_players)
  num_deals = -(-given["batch"] // len(rows))
  num_draws = env.init_draws + env.max_decisions * (1 + env.step_draws)
  memory.check(
    f"{num_deals * len(rows):,} games of {num_draws} draws",
    _COPIES * 8 * num_deals * len(rows) * num_draws,
    "choose a smaller --batch",
  )
  match = matches.Match(
    policies=tuple(policies[name] for name in pair),
    seatings=jnp.asarray(rows),
    num_deals=num_deals,
    seed=given["seed"],
  )
  updates = -(-given["games"] // (num_deals * len(rows)))
  labels = {"policies": list(pair)}

  def result(state):
    return matches.results(
      match, state, confidence=given["confidence"], limits=stage.limits
    )

  def measure(state, clock):
    row: dict[str, Any] = {"step": clock.step, "seconds": clock.seconds}
    return [row | {"games": 0} | (_row(result(state)) if clock.step else {})]

  return jobs_lib.of_method(
    match,
    env,
    measure,
    title=f"{stage.name} {' against '.join(pair)}",
    labels=labels,
    points=run.log_checkpoints(updates, _CHECKPOINTS).tolist(),
    planned=updates,
    result=result,
    note=lambda rows: _note(rows[-1]),
  )


def _row(found):
  return {
    "games": found.num_games,
    "returns": [each.mean for each in found.returns],
  }


def _note(row):
  if not row["games"]:
    return ""
  means = " ".join(f"{mean:+.4f}" for mean in row["returns"])
  return f"mean returns {means}"


def _match(finished):
  """Returns a match as `result.json` holds it."""
  found: matches.Results = finished.result
  names = finished.job.labels["policies"]
  match = {
    "games": found.num_games,
    "deals": found.num_deals,
    "seconds": finished.clock.seconds,
    "players": [
      {
        "policy": name,
        "returns": as_json(returns),
        "by_seat": [as_json(seat) for seat in seats],
      }
      for name, returns, seats in zip(
        names, found.returns, found.by_seat, strict=True
      )
    ],
  }
  if len(names) == 2:
    match["margin"] = as_json(found.margins[0][1])
  return match


def as_json(found: intervals.Interval) -> dict[str, Any]:
  """Returns an interval as JSON holds it: null for an end that is not known."""
  return {
    name: value if isinstance(value, str) or math.isfinite(value) else None
    for name, value in found._asdict().items()
  }


def _summary(result, done, folder):
  """Returns one line of all matches."""
  said = []
  for match in result["matches"]:
    names = [player["policy"] for player in match["players"]]
    if len(names) == 1:
      seats = match["players"][0]["by_seat"]
      each = (f"{k['mean']:+.4f} in seat {i}" for i, k in enumerate(seats))
      said.append(f"{names[0]} earns {', '.join(each)}")
      continue
    returns = match["players"][0]["returns"]
    low, high = returns["low"], returns["high"]
    known = "" if low is None else f" ({low:+.4f} to {high:+.4f})"
    mean = f"{returns['mean']:+.4f}{known}"
    said.append(f"{names[0]} earns {mean} against {names[1]}")
  games = sum(match["games"] for match in result["matches"])
  seconds = sum(match["seconds"] for match in result["matches"])
  rate = f", {games / seconds:,.0f}/s" if seconds else ""
  compiled = sum(finished.compile_seconds for finished in done)
  return (
    f"{result['game']}: {'; '.join(said)}, after {games:,} games in "
    f"{seconds:.2f} s{rate}, compiled in {compiled:.1f} s; see {folder}"
  )
