"""Runs `solve_game`: updates, measurements and files."""

import dataclasses
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.registry import game_solvers
from experiments.runs import fingerprint as fingerprint_lib
from experiments.runs import folder as folder_lib
from experiments.runs import host_loop, provenance
from experiments.runs import interrupts as interrupts_lib
from experiments.runs import jobs as jobs_lib
from experiments.solving import equilibrium as equilibrium_lib
from experiments.solving import policy_file, verdict
from experiments.solving import problem as problem_lib
from experiments.solving import settings as settings_lib
from mdrl import run, tiers
from mdrl.evaluation import gaps

_ITERATES = ("last", "average")
_METRICS = ("exploitability", "nash_conv", "values", "divergence")


def solve(
  settings: settings_lib.Settings,
  folder: folder_lib.Folder,
  signals: interrupts_lib.Interrupts,
) -> str:
  """Makes or resumes a run, writes its files and returns a summary.

  Raises:
    ValueError: If the settings cannot be met, or numbers ceased to be finite.
    Stopped: By a signal.
  """
  problem = problem_lib.make(settings)
  decisive = _decisive(settings, problem)
  record = host_loop.begin(
    folder,
    decisive,
    signals,
    settings.as_json(),
    payoff_norm=problem.payoff_norm,
    game={
      "name": problem.name,
      **provenance.game_size(problem.game, problem.names),
    },
  )
  [finished] = host_loop.drive(
    [_job(settings, problem)],
    folder,
    decisive.fingerprint(),
    signals,
    save_seconds=settings.save_seconds,
    compiled=lambda job, seconds: folder.begin(
      {**record, "compile_seconds": seconds}
    ),
  )
  with signals.noted():
    _write(settings, problem, finished, folder)
  reports = game_solvers.SOLVERS[settings.solver].reports
  return _summary(settings, finished, reports, problem.game)


def _write(settings, problem, finished, folder):
  """Writes the policies and the figure."""
  # Importing it takes longer than many runs, and not every run ends here.
  from experiments.runs import figures
  from experiments.solving import convergence_plot

  shown = dataclasses.replace(
    settings, equilibrium_temperature=problem.equilibrium_temperature
  )
  title = f"{finished.job.title}\n{shown.conditions}"
  reports = game_solvers.SOLVERS[settings.solver].reports
  figure = convergence_plot.draw(finished.rows, title, reports)
  folder.write(
    "policy.npz",
    lambda file: policy_file.write(
      file, problem.name, problem.names, finished.result, reports
    ),
  )
  folder.write("convergence.png", lambda file: figures.save(file, figure))


def _job(settings, problem):
  solver, game = problem.solver, problem.game
  points = run.log_checkpoints(settings.updates, settings.checkpoints)
  return jobs_lib.of_method(
    solver,
    game,
    lambda state, clock: [_row(problem, state, clock)],
    title=f"{settings.game} {settings.solver}",
    points=points.tolist(),
    start=problem.first_policies,
    planned=settings.updates,
    result=lambda state: _iterates(solver, game, state),
    note=_note,
  )


def _row(problem, state, clock):
  """Returns the columns of the trace, by name."""
  measured = {
    iterate: jax.device_get(
      _measure(problem.game, policies, problem.equilibrium)
    )
    for iterate, policies in _iterates(
      problem.solver, problem.game, state
    ).items()
  }
  metrics = {
    f"{metric}_{iterate}": measured[iterate][metric]
    for metric in _METRICS
    for iterate in _ITERATES
    if metric in measured[iterate]
  }
  row: dict[str, Any] = {"step": clock.step, "seconds": clock.seconds}
  row |= {name: value.tolist() for name, value in metrics.items()}
  for name in [name for name in metrics if name.startswith("divergence")]:
    # A policy of zeros is infinitely far, and no reason to stop.
    if np.isinf(metrics[name]):
      row[name] = None
      del metrics[name]
  run.raise_if_not_finite(run.Trace(jnp.asarray(clock.step), metrics))
  return row


def _note(rows):
  [row] = rows
  return (
    f"exploitability {row['exploitability_last']:.1e} last, "
    f"{row['exploitability_average']:.1e} average"
  )


@tiers.once
def _iterates(solver, game, state):
  return {
    "last": solver.last_policies(game, state),
    "average": solver.policies(game, state),
  }


@tiers.once
def _measure(game, policies, equilibrium):
  plans = game.plans(policies)
  measured = {
    "exploitability": gaps.exploitability(game, plans),
    "nash_conv": gaps.nash_conv(game, plans),
    "values": game.values(plans),
  }
  if equilibrium is not None:
    measured["divergence"] = equilibrium_lib.divergence(
      game, equilibrium, policies
    )
  return measured


def _decisive(settings, problem):
  contents: dict[str, Any] = {}
  path = pathlib.Path(settings.game)
  if path.is_file():
    contents[f"file {settings.game}"] = fingerprint_lib.of_file(path)
  contents |= fingerprint_lib.versions()
  contents["compiled game"] = fingerprint_lib.of_arrays(problem.game)
  contents["names of its infostates"] = fingerprint_lib.of_names(
    [player.infostates for player in problem.names.players]
  )
  return fingerprint_lib.Decisive(settings.decisive(), contents)


def _summary(settings, finished, reports, game):
  row, clock = finished.rows[-1], finished.clock
  other = "average" if reports == "last" else "last"
  rate = clock.step / clock.seconds if clock.seconds else 0
  off = ""
  if settings.equilibrium is not None:
    found = row[f"divergence_{reports}"]
    shown = "infinite" if found is None else f"{found:.3e}"
    kind = equilibrium_lib.NAMES[settings.equilibrium]
    off = f"divergence {shown} from the {kind} equilibrium, "
  return (
    f"{settings.game} {settings.solver}: exploitability "
    f"{row[f'exploitability_{reports}']:.3e} ({reports} iterate; {other} "
    f"{row[f'exploitability_{other}']:.3e}), {off}after "
    f"{clock.step:,} updates in {clock.seconds:.2f} s, {rate:,.0f}/s, "
    f"compiled in {finished.compile_seconds:.1f} s; see {settings.out}"
    + "".join(
      f"; {said}"
      for said in verdict.sentences(row, reports, settings.config, game)
    )
  )
