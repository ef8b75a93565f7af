# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Average and last iterates on trees
#
# Regret bounds are about the average of the plans that were played; whether the
# last one converges is another question, and algorithms answer it differently.
# Six solvers on Kuhn poker and on goofspiel with four cards and hidden bids,
# both iterates of each run. Averages are of plans, not of policies. Each cell
# asserts what its figure shows.

# %%
import jax

jax.config.update("jax_enable_x64", True)

import matplotlib.pyplot as plt
import numpy as np

from mdrl import run
from mdrl.compile import openspiel
from mdrl.evaluation import gaps
from mdrl.solvers import (
  averaged,
  magnetic,
  mirror_descent,
  mirror_prox,
  optimistic,
  regret_matching,
  regret_rules,
)

GOOFSPIEL = "goofspiel(imp_info=True,num_cards=4,points_order=descending)"
games = {
  "Kuhn poker": openspiel.compile_game("kuhn_poker")[0],
  "goofspiel, 4 cards": openspiel.compile_game(GOOFSPIEL)[0],
}
step_sizes = {"Kuhn poker": 2.0, "goofspiel, 4 cards": 1.0}
NUM_UPDATES = 5000
checkpoints = run.log_checkpoints(NUM_UPDATES, 80)


def solvers(step_size):
  """Each solver, with the power of the weights of its average."""
  return {
    "CFR": (regret_matching.RegretMatching(rule=regret_rules.Vanilla()), 0.0),
    "CFR+": (
      regret_matching.AlternatingRegretMatching(rule=regret_rules.Plus()),
      1.0,
    ),
    "mirror descent": (mirror_descent.MirrorDescent(step_size=step_size), 0.0),
    "magnetic, moving magnet": (
      magnetic.MagneticMirrorDescent(
        step_size=step_size, temperature=0.05, magnet_rate=0.05
      ),
      0.0,
    ),
    "optimistic mirror descent": (
      optimistic.OptimisticMirrorDescent(step_size=step_size),
      0.0,
    ),
    "Mirror Prox": (mirror_prox.MirrorProx(step_size=step_size), 0.0),
  }


@jax.jit
def plans(solver, game, counts):
  """Average and last plans after each count of further updates."""

  def chunk(state, count):
    state = jax.lax.fori_loop(
      0, count, lambda _, s: solver.update(game, s), state
    )
    last = game.plans(solver.last_policies(game, state))
    return state, (solver.plans(game, state), last)

  return jax.lax.scan(chunk, solver.init(game), counts)[1]


exploitability = jax.jit(jax.vmap(gaps.exploitability, in_axes=(None, 0)))
curves = {}
for game_name, game in games.items():
  for name, (solver, power) in solvers(step_sizes[game_name]).items():
    average, last = plans(
      averaged.Averaged(solver=solver, power=power),
      game,
      np.diff(checkpoints, prepend=0),
    )
    curves[game_name, name] = tuple(
      np.asarray(exploitability(game, x)) for x in (average, last)
    )

# %% [markdown]
# ## Both iterates
#
# Optimistic mirror descent, Mirror Prox and the moving magnet have last
# iterates that converge, soon at a linear rate, and averages that only catch up
# like 1 / T: the early plans stay in them. Of CFR and of mirror descent only
# the average converges; their last iterates do not. CFR+, with alternation and
# linear averaging, has the best average of all; its last iterate goes down
# here, slowly. Mirror Prox evaluates two gains per update, the others one.

# %%
figure, axes = plt.subplots(
  2, 2, figsize=(10, 7), sharex=True, sharey="row", layout="constrained"
)
shown = checkpoints[1:]
for row, game_name in zip(axes, games, strict=True):
  for i, name in enumerate(solvers(1.0)):
    for axis, values in zip(row, curves[game_name, name], strict=True):
      axis.loglog(
        shown, np.maximum(values[1:], 1e-17), color=f"C{i}", label=name
      )
  for power, style in ((0.5, ":k"), (1.0, "--k")):
    row[0].loglog(
      shown,
      shown**-power,
      style,
      lw=1,
      label="1 / T" if power == 1 else "1 / sqrt(T)",
    )
  row[0].set_ylabel(f"exploitability, {game_name}")
  for axis in row:
    axis.grid(alpha=0.4)
    axis.set_ylim(1e-13, 3)
axes[0, 0].set_title("average iterate")
axes[0, 1].set_title("last iterate")
for axis in axes[1]:
  axis.set_xlabel("updates T")
figure.legend(
  *axes[0, 0].get_legend_handles_labels(),
  loc="outside lower center",
  ncols=4,
)
plt.show()

CONVERGENT = (
  "magnetic, moving magnet",
  "optimistic mirror descent",
  "Mirror Prox",
)
for (game_name, name), (average, last) in curves.items():
  late = checkpoints >= 50
  power = np.polyfit(np.log(checkpoints[late]), np.log(average[late]), 1)[0]
  print(
    f"{game_name:18} {name:25} average {average[-1]:.1e} (T^{power:.2f}), "
    f"last {last[-1]:.1e}"
  )
  # All averages keep to 1 / sqrt(T), with a constant near the utilities.
  assert (average[1:] < 2 / np.sqrt(checkpoints[1:])).all()
  assert power < -0.45
  tail = last[checkpoints >= NUM_UPDATES / 10]
  if name in CONVERGENT:
    assert -1.05 < power < -0.95
    assert last[-1] < 1e-13
    at = (last < 1e-4) & (last > 1e-12)
    explained = np.corrcoef(checkpoints[at], np.log(last[at]))[0, 1] ** 2
    assert explained > 0.97
  elif name == "CFR+":
    assert power < -0.95
    others = [
      other[-1]
      for (game_of, of), (other, _) in curves.items()
      if game_of == game_name and of != name
    ]
    assert average[-1] < min(others) / 5
    # Its last iterate goes down, but stays far above its average.
    assert tail.max() < last[0] / 10
    assert tail.min() > 50 * average[-1]
  else:
    # Not once in the last nine tenths of the run.
    assert tail.min() > 0.05
    assert tail.min() > 10 * average[-1]

# %% [markdown]
# ## CFR against its bound
#
# The regret of a player with I infostates of at most A actions, whose utilities
# differ by at most D, is at most `D I sqrt(A T)` after T updates (Zinkevich et
# al., 2007), and the sum of average regrets bounds the duality gap. The bound
# holds throughout, and here is loose by two orders of magnitude and more.

# %%
figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
for i, (game_name, spread, actions) in enumerate(
  (("Kuhn poker", 4, 2), ("goofspiel, 4 cards", 2, 4))
):
  infostates = games[game_name].treeplexes[0].num_infostates
  bound = spread * infostates * np.sqrt(actions / shown)
  average = curves[game_name, "CFR"][0][1:]
  axis.loglog(shown, average, color=f"C{i}", label=game_name)
  axis.loglog(shown, bound, "--", color=f"C{i}", label="bound")

  assert (average <= bound).all()
  assert (bound / average).min() > 50
axis.set(xlabel="updates", ylabel="exploitability of the average of CFR")
axis.grid(alpha=0.4)
figure.legend(loc="outside right center")
plt.show()
