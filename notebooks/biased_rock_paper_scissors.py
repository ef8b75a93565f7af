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
# # Last iterates on biased rock-paper-scissors
#
# Rock beats scissors for 1, scissors beat paper for 2/3, and paper beats rock
# for 1/3. The equilibrium is unique and in the interior, so that it is plain
# whether an iterate goes there. Five solvers with negative entropy start from
# the same pair of policies, which differ, and both players move at once. Each
# cell asserts what its figure shows.

# %%
import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from mdrl import run
from mdrl.evaluation import linear_program, quantal_response
from mdrl.games import matrix_game
from mdrl.solvers import magnetic, mirror_descent, mirror_prox, optimistic
from mdrl.trees import quantities

game = matrix_game.zero_sum_game(
  np.array([[0, -1, 3], [1, 0, -2], [-3, 2, 0]]) / 3
)
exact = linear_program.solve(game)
nash = np.stack(exact.plans)[:, 1:]
# Plans begin with the empty sequence, which is always reached.
start = quantities.Policies(
  (
    jnp.array([1.0, 0.7, 0.1, 0.2]),
    jnp.array([1.0, 0.2, 0.2, 0.6]),
  )
)
print(f"value {exact.value:.1e}; rock, paper, scissors {nash[0]}")

assert abs(exact.value) < 1e-12
np.testing.assert_allclose(nash, [[1 / 3, 1 / 2, 1 / 6]] * 2, atol=1e-12)

# %% [markdown]
# The temperature is 0.2 where it is fixed. Its regularised equilibrium, found
# by Newton's method apart from any solver, is another point than the Nash
# equilibrium, which a moving magnet approaches. The step size of the fixed
# magnet is the largest of its theorem, the temperature over the square of the
# largest payoff, which is 1; the others have a step of 1/2.

# %%
TEMPERATURE = 0.2
solvers = {
  "mirror descent": mirror_descent.MirrorDescent(step_size=0.5),
  "magnetic, magnet stays": magnetic.MagneticMirrorDescent(
    step_size=TEMPERATURE, temperature=TEMPERATURE
  ),
  "magnetic, magnet moves": magnetic.MagneticMirrorDescent(
    step_size=0.5, temperature=TEMPERATURE, magnet_rate=0.05
  ),
  "optimistic mirror descent": optimistic.OptimisticMirrorDescent(
    step_size=0.5
  ),
  "Mirror Prox": mirror_prox.MirrorProx(step_size=0.5),
}
NUM_UPDATES = 1500
steps = np.arange(NUM_UPDATES + 1)


def plans_played(game, plans):
  del game
  return plans


def path(solver):
  """Both players' policies, by update."""
  state = run.init(solver, game, start)
  plans = run.run(solver, game, run.of_plans(plans_played), steps, state)[
    1
  ].metrics
  return np.stack(plans, axis=1)[..., 1:]


def divergence(target, policies):
  """Sum over players of the Kullback-Leibler divergence of the target."""
  return np.sum(target * np.log(target / policies), axis=(1, 2))


paths = {name: path(solver) for name, solver in solvers.items()}
quantal = np.stack(quantal_response.equilibrium(game, TEMPERATURE))[:, 1:]
print(f"at temperature {TEMPERATURE}: {quantal[0].round(4)}")

# %% [markdown]
# ## Where they go
#
# Policies of the first player, for the first 300 updates, from light to dark.
# Mirror descent spirals out to the boundary, and goes on along it from corner
# to corner, with ever longer stays. The others come in, some in spirals.

# %%
CORNERS = np.array([[0.0, 0.0], [0.5, np.sqrt(0.75)], [1.0, 0.0]])
SHOWN = 300


def triangle(axis, title):
  axis.fill(*CORNERS.T, facecolor="none", edgecolor="0.6", lw=1)
  for corner, name, align, dy in zip(
    CORNERS,
    ("rock", "paper", "scissors"),
    ("left", "center", "right"),
    (-0.07, 0.03, -0.07),
    strict=True,
  ):
    x, y = corner
    axis.text(x, y + dy, name, ha=align, va="top" if dy < 0 else "bottom")
  axis.set(title=title, aspect="equal", ylim=(-0.16, 0.98))
  axis.axis("off")


figure, axes = plt.subplots(2, 3, figsize=(10, 6.6), layout="constrained")
for axis, (name, policies) in zip(axes.flat, paths.items(), strict=False):
  triangle(axis, name)
  points = policies[: SHOWN + 1, 0] @ CORNERS
  axis.plot(*points.T, lw=0.5, color="0.7", zorder=1)
  axis.scatter(
    *points.T, c=np.arange(SHOWN + 1), cmap="viridis_r", s=4, zorder=2
  )
  axis.plot(*(start[0][1:] @ CORNERS), "ks", ms=6)
  axis.plot(*(nash[0] @ CORNERS), "r*", ms=12, mec="w", mew=0.7)
  axis.plot(*(quantal[0] @ CORNERS), "D", color="C1", ms=6, mec="w", mew=0.7)
axes[1, 2].axis("off")
for marker, color, label in (
  ("s", "k", "start"),
  ("*", "r", "Nash equilibrium"),
  ("D", "C1", f"equilibrium at temperature {TEMPERATURE}"),
):
  axes[1, 2].plot([], [], marker, color=color, ms=8, label=label)
axes[1, 2].legend(loc="center", frameon=False)
plt.show()

# Mirror descent goes round all corners, nearer to each than before.
first = paths["mirror descent"][:, 0]
assert (first[:300].max(axis=0) > 0.7).all()
assert (first[300:].max(axis=0) > 0.9999).all()
assert (first[300:].min(axis=0) < 0.1 * first[:300].min(axis=0)).all()
for name in (
  "magnetic, magnet moves",
  "optimistic mirror descent",
  "Mirror Prox",
):
  np.testing.assert_allclose(paths[name][-1], nash, atol=1e-6)
stays = paths["magnetic, magnet stays"][-1]
np.testing.assert_allclose(stays, quantal, atol=1e-12)
assert np.abs(stays - nash).max() > 0.05

# %% [markdown]
# ## How fast
#
# The divergence of the Nash equilibrium from the iterates, summed over players.
# With simultaneous mirror descent it rises at every update (Bailey & Piliouras,
# "Multiplicative weights update in zero-sum games", 2018). Optimistic mirror
# descent converges at a linear rate where the equilibrium is unique (Wei, Lee,
# Zhang & Luo, 2021, https://arxiv.org/abs/2006.09517); the figure shows the
# same of Mirror Prox and, here, of the moving magnet. The fixed magnet stays
# away from the Nash equilibrium by what its temperature costs.

# %%
to_nash = {name: divergence(nash, p) for name, p in paths.items()}
figure, axes = plt.subplots(
  1, 2, figsize=(10, 4), layout="constrained", width_ratios=(3, 2)
)
for name, values in to_nash.items():
  axes[0].semilogy(steps, np.maximum(values, 1e-18), label=name)
axes[0].set(
  xlabel="updates",
  ylabel="divergence of the Nash equilibrium",
  ylim=(1e-16, 1e3),
)
to_quantal = divergence(quantal, paths["magnetic, magnet stays"])[:301]
bound = to_quantal[0] / (1 + TEMPERATURE**2) ** steps[:301]
axes[1].semilogy(to_quantal, color="C1")
axes[1].semilogy(bound, "--k", label="bound, magnet stays")
axes[1].set(
  xlabel="updates",
  ylabel=f"divergence of the equilibrium at {TEMPERATURE}",
  ylim=(1e-11, 10),
)
figure.legend(loc="outside lower center", ncols=3)
for axis in axes:
  axis.grid(alpha=0.4)
plt.show()


def fitted(values):
  """The factor per update of a linear rate, and how much it explains."""
  shown = np.flatnonzero(values < 1e-13)
  end = shown[0] if len(shown) else len(values)
  logs, at = np.log(values[end // 4 : end]), np.arange(end // 4, end)
  slope, _ = np.polyfit(at, logs, 1)
  return np.exp(slope), np.corrcoef(at, logs)[0, 1] ** 2


assert (np.diff(to_nash["mirror descent"]) > 0).all()
assert (to_quantal <= bound * (1 + 1e-9) + 1e-14).all()
rates = {
  name: fitted(to_nash[name])
  for name in (
    "magnetic, magnet moves",
    "optimistic mirror descent",
    "Mirror Prox",
  )
}
rates["magnetic, magnet stays"] = fitted(to_quantal)
for name, (factor, explained) in rates.items():
  print(f"{name:26} {factor:.5f} per update, R^2 = {explained:.5f}")
  assert factor < 0.98
  assert explained > 0.999
