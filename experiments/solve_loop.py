"""A run of `solve_game`: updates, evaluations, saved states and results."""

import contextlib
import signal
import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments import (
  convergence_plot,
  figures,
  progress,
  provenance,
  run_files,
  saved_states,
  solver_table,
)
from experiments import problem as problem_lib
from experiments import reference as reference_lib
from experiments import settings as settings_lib
from mdrl import run
from mdrl.evaluation import gaps

# Pieces of a long interval between evaluations take about this many seconds,
# so that progress shows and a signal is soon heard. Pieces change no numbers.
_PIECE_SECONDS = (0.1, 0.4)
_ITERATES = ("last", "average")
_METRICS = ("exploitability", "nash_conv", "values", "divergence")


class Outcome(NamedTuple):
  """What a run has to say at its end, and the exit status that goes with it."""

  summary: str
  status: int


def solve(settings: settings_lib.Settings) -> Outcome:
  """Makes a run, or goes on with it, and writes its files.

  Raises:
    ValueError: If the settings cannot be met, or numbers ceased to be finite.
  """
  points = run.log_checkpoints(settings.updates, settings.checkpoints)
  problem = problem_lib.make(settings)
  files = run_files.RunFiles(settings.out)
  recorded = files.claim(resume=settings.resume, overwrite=settings.overwrite)
  if recorded is not None:
    settings_lib.check_same(settings, recorded["flags"])
  record = _record(settings, problem, recorded)
  # Before anything else is there: whatever has no flags is not a run.
  files.write_flags(record)
  label = f"{settings.game} {settings.solver}"
  with (
      progress.Progress(label, settings.updates) as bar,
      contextlib.closing(
          saved_states.SavedStates(files.states, settings.save_seconds)
      ) as saved,
      contextlib.closing(
          _Loop(settings, problem, files.trace, saved, bar)
      ) as loop,
      _Interrupts() as interrupts,
  ):
    files.write_flags({**record, "compile_seconds": loop.compile_seconds})
    finished = loop.run_to(points.tolist(), interrupts)
  if not finished:
    name = signal.Signals(interrupts.received).name
    return Outcome(
        f"{label}: stopped by {name} after {loop.step:,} of "
        f"{settings.updates:,} updates; go on by --resume",
        128 + interrupts.received,
    )
  reports = solver_table.SOLVERS[settings.solver].reports
  files.write_policy(problem.name, problem.names, loop.iterates(), reports)
  title = f"{label}\n{settings.conditions}"
  figures.save(files.plot, convergence_plot.draw(loop.rows, title, reports))
  return Outcome(_summary(settings, loop, reports), 0)


class _Loop:
  """The state of a run."""

  def __init__(self, settings, problem, trace, saved, bar):
    self._game, self._solver = problem.game, problem.solver
    self._reference = problem.reference
    self._saved, self._bar = saved, bar
    first = run.init(self._solver, self._game, problem.first_policies)
    bar.say(f"compiling {settings.solver} for {settings.game}")
    state, self.seconds = self._saved.restore(first)
    # Restored arrays are bound to a device; first ones are bound to it as
    # well, so that both run the same program.
    self._state = jax.device_put(state, jax.devices()[0])
    self.step = int(self._state.step)
    if self.step > settings.updates:
      raise ValueError(
          f"`--updates` must be at least the {self.step} that the run in "
          f"{settings.out} has made, got {settings.updates}"
      )
    start = time.perf_counter()
    # No updates, but the program that makes any number of them.
    jax.block_until_ready(self._advanced(0))
    self._measured()
    self.compile_seconds = time.perf_counter() - start
    self._trace = run_files.TraceWriter(
        trace, run_files.read_trace(trace, self.step)
    )
    self._piece = 16

  @property
  def rows(self):
    """The trace so far."""
    return self._trace.rows

  def iterates(self):
    """Returns the policies of the last and the average iterate."""
    return _iterates(self._solver, self._game, self._state)

  def run_to(self, points, interrupts):
    """Goes to all points and measures there; False if interrupted before."""
    done = {row["step"] for row in self.rows}
    for point in points:
      if point < self.step or point in done:
        continue
      while self.step < point:
        self._advance(min(self._piece, point - self.step))
        if interrupts.received:
          self._saved.save(self.step, self._state, self.seconds)
          return False
        # At a point, the row comes first: a saved state has all of its rows.
        if self.step < point:
          self._bar.advanced(self.step, self.seconds)
          self._saved.save_if_due(self.step, self._state, self.seconds)
      self._write_row()
      self._saved.save_if_due(self.step, self._state, self.seconds)
    self._saved.save(self.step, self._state, self.seconds)
    return True

  def _advance(self, num_updates):
    start = time.perf_counter()
    self._state = jax.block_until_ready(self._advanced(num_updates))
    spent = time.perf_counter() - start
    self.step += num_updates
    self.seconds += spent
    low, high = _PIECE_SECONDS
    if spent < low:
      self._piece *= 2
    elif spent > high:
      self._piece = max(1, self._piece // 2)

  def _advanced(self, num_updates):
    return run.advance(self._solver, self._game, self._state, num_updates)

  def _measured(self):
    """Returns the columns of the trace, by name."""
    measured = {
        iterate: jax.device_get(
            _measure(self._game, policies, self._reference)
        )
        for iterate, policies in self.iterates().items()
    }
    return {
        f"{metric}_{iterate}": measured[iterate][metric]
        for metric in _METRICS
        for iterate in _ITERATES
        if metric in measured[iterate]
    }

  def _write_row(self):
    metrics = self._measured()
    row: dict[str, Any] = {"step": self.step, "seconds": self.seconds}
    row |= {name: value.tolist() for name, value in metrics.items()}
    for name in [name for name in metrics if name.startswith("divergence")]:
      # A policy of zeros is infinitely far, and no reason to stop.
      if np.isinf(metrics[name]):
        row[name] = None
        del metrics[name]
    run.raise_if_not_finite(run.Trace(jnp.asarray(self.step), metrics))
    self._trace.write(row)
    self._bar.measured(*(row[f"exploitability_{name}"] for name in _ITERATES))
    self._bar.advanced(self.step, self.seconds)

  def close(self):
    """Closes the trace."""
    self._trace.close()


@jax.jit
def _iterates(solver, game, state):
  return {
      "last": solver.last_policies(game, state),
      "average": solver.policies(game, state),
  }


@jax.jit
def _measure(game, policies, reference):
  plans = game.plans(policies)
  measured = {
      "exploitability": gaps.exploitability(game, plans),
      "nash_conv": gaps.nash_conv(game, plans),
      "values": game.values(plans),
  }
  if reference is not None:
    measured["divergence"] = reference_lib.divergence(
        game, reference, policies
    )
  return measured


class _Interrupts:
  """Takes note of SIGTERM and SIGINT; the second one ends the process."""

  def __init__(self):
    self.received = 0

  def __enter__(self):
    self._before = {
        s: signal.signal(s, self._handle)
        for s in (signal.SIGTERM, signal.SIGINT)
    }
    return self

  def _handle(self, number, frame):
    del frame
    self.received = number
    self._restore()

  def _restore(self):
    for number, handler in self._before.items():
      signal.signal(number, handler)

  def __exit__(self, *error):
    self._restore()


def _record(settings, problem, recorded):
  now = provenance.start()
  earlier = []
  if recorded is not None:
    earlier = [*recorded["earlier"], {key: recorded[key] for key in now}]
  return {
      "flags": settings.as_json(),
      "payoff_norm": problem.payoff_norm,
      "game": {
          "name": problem.name,
          **provenance.game_size(problem.game, problem.names),
      },
      **now,
      "earlier": earlier,
  }


def _summary(settings, loop, reports):
  row = loop.rows[-1]
  other = "average" if reports == "last" else "last"
  rate = loop.step / loop.seconds if loop.seconds else 0
  off = ""
  if settings.reference is not None:
    found = row[f"divergence_{reports}"]
    shown = "infinite" if found is None else f"{found:.3e}"
    kind = reference_lib.NAMES[settings.reference]
    off = f"divergence {shown} from the {kind} equilibrium, "
  return (
      f"{settings.game} {settings.solver}: exploitability "
      f"{row[f'exploitability_{reports}']:.3e} ({reports} iterate; {other} "
      f"{row[f'exploitability_{other}']:.3e}), {off}after "
      f"{loop.step:,} updates in {loop.seconds:.2f} s, {rate:,.0f}/s, "
      f"compiled in {loop.compile_seconds:.1f} s; see {settings.out}"
  )
