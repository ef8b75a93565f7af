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
# # Methods for operators, against their worst cases
#
# An operator F is rho-negatively comonotone where
#
#     <F(x) - F(y), x - y> >= -rho ||F(x) - F(y)||^2,
#
# which is monotone at rho = 0 and allows for the more rotation outwards the
# larger rho is. Gorbunov, Taylor, Horvath & Gidel (2023,
# https://arxiv.org/abs/2210.13831) say how far extragradient, the optimistic
# gradient and the proximal point method go. What is measured is the squared
# residual `||F(x)||^2`. Each cell asserts what its figure shows.

# %%
import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from mdrl import run
from mdrl.games import matrix_game
from mdrl.operators import (
  anchored_extragradient,
  extragradient,
  halpern,
  measures,
  optimistic_gradient,
  proximal_point,
  variance_reduced_halpern,
)
from mdrl.operators import base as operator_lib


def linear(matrix):
  matrix = jnp.asarray(matrix)
  return operator_lib.Linear(matrix=matrix, offset=jnp.zeros(matrix.shape[:-1]))


def outward(rho):
  """The plane's rotation outwards by just rho, of Lipschitz constant 1."""
  a, b = -rho, jnp.sqrt(1 - rho**2)
  return linear(jnp.array([[a, b], [-b, a]]))


def residuals(method, operator, num_updates, point=(1.0, 0.0)):
  """Squared residuals of the start and of every iterate."""
  start = run.init(method, operator, jnp.asarray(point))
  steps = np.arange(num_updates + 1)
  _, trace = run.run(method, operator, measures.squared_residual, steps, start)
  return trace.metrics


# %% [markdown]
# ## Two-dimensional worst cases
#
# The operator `[[a, b], [-b, a]]` with a = -rho and a^2 + b^2 = 1 has equality
# in the definition everywhere, and a Lipschitz constant of 1. From a point at
# distance 1 it attains the worst case of extragradient on average over all
# operators of any dimension, as the authors found it by semidefinite
# programming: 0.2796473918794 after 30 updates, with a look-ahead of 0.5 and
# steps of 0.3 at rho = 0.1, where their theorem says 0.286738. Crosses are such
# exact worst cases, dashed lines theorems. With steps of the proximal point
# method no larger than 2 rho there is no theorem: at 2 rho the residual stays
# for ever, and below it rises.

# %%
updates = np.arange(61)
LARGEST = 10 / 31


def plane(method, rho):
  return residuals(method, outward(rho), 60)


def extra(look_ahead, step_size):
  return extragradient.Extragradient(look_ahead=look_ahead, step_size=step_size)


def past(look_ahead, step_size):
  return optimistic_gradient.OptimisticGradient(
    look_ahead=look_ahead, step_size=step_size
  )


def mean(values):
  return np.cumsum(values) / (updates + 1)


# Residuals, the theorem's bound, and an exact worst case over all operators.
means = {
  "extragradient": (
    mean(plane(extra(0.5, 0.3), 0.1)),
    1 / (0.5 * 0.3 * (1 - 0.5**2) * (updates + 1)),
    (30, 0.279647),
  ),
  "optimistic gradient": (
    mean(plane(past(0.5, 0.2), 0.1)),
    1 / (0.5 * 0.2 * (1 - 0.7**2) * (updates + 1)),
    (30, 0.378857),
  ),
}
lasts = {
  "extragradient, rho = 0.1": (
    plane(extra(0.5, 0.5), 0.1),
    28 / (updates * 0.5**2 + 320 * 0.5 * 0.1),
    (20, 0.340082),
  ),
  "optimistic gradient, rho = 0.05": (
    plane(past(LARGEST, LARGEST), 0.05),
    717 / (updates * LARGEST * (LARGEST - 0.15) + 800 * LARGEST**2),
    (10, 0.473342),
  ),
}
proximal = {
  step_size: plane(proximal_point.ProximalPoint(step_size=step_size), 0.1)
  for step_size in (0.15, 0.2, 0.3, 1.0)
}

figure, axes = plt.subplots(1, 3, figsize=(12, 4.3), layout="constrained")
for axis, curves in ((axes[0], means), (axes[1], lasts)):
  for i, (name, (values, bound, worst)) in enumerate(curves.items()):
    axis.semilogy(updates, values, color=f"C{i}", label=name)
    axis.semilogy(updates, bound, "--", color=f"C{i}")
    axis.plot(*worst, "x", color=f"C{i}", ms=9, mew=2)
    assert (values <= bound).all()
    assert values[worst[0]] < worst[1] + 1e-6
for i, (step_size, values) in enumerate(proximal.items()):
  axes[2].semilogy(updates, values, color=f"C{i}", label=f"step {step_size}")
  if step_size > 0.2:
    bound = 1 / (step_size * (step_size - 0.2) * updates[1:])
    axes[2].semilogy(updates[1:], bound, "--", color=f"C{i}")
    assert (values[1:] <= bound).all()
axes[0].set(title="mean over iterates, rho = 0.1", ylim=(0.05, 30))
axes[0].set_ylabel("squared residual")
axes[1].set(title="last iterate", ylim=(1e-3, 100))
axes[2].set(title="proximal point, rho = 0.1", ylim=(1e-9, 100))
for axis in axes:
  axis.set_xlabel("updates")
  axis.grid(alpha=0.4)
  axis.legend(loc="lower left" if axis is axes[2] else "upper right")
plt.show()

attained = means["extragradient"][0][30]
assert abs(attained - 0.2796473918794) < 1e-12
assert abs(lasts["extragradient, rho = 0.1"][0][20] - 0.340082) < 1e-6
# The optimistic gradient has worse operators than this one, if not by much.
assert lasts["optimistic gradient, rho = 0.05"][0][10] > 0.45
for step_size, known in ((0.15, 1.253), (0.3, 0.412)):
  assert abs(proximal[step_size][30] - known) < 5e-4
assert abs(proximal[1.0][30] - 2.2e-8) < 5e-10
np.testing.assert_allclose(proximal[0.2], 1, rtol=1e-12)
assert (np.diff(proximal[0.15]) > 0).all()

# %% [markdown]
# ## Who converges, by rho
#
# On the same operators, what a residual is multiplied by per update in the long
# run: below one a method converges, above one it diverges. Dots are the largest
# rho of the theorems. Extragradient and the optimistic gradient with two equal
# steps fail soon after. With a step that is shorter than the look-ahead of 1/2
# by 2 rho, extragradient goes on for as long as there is such a step. The
# proximal point method needs a step of more than 2 rho, and no less. Halpern's
# iteration needs cocoercivity and diverges even at rho = 0, where the operator
# is a quarter turn. The anchored extragradient is made for rho = 0, where its
# residual falls like 1 / k^2; here it goes on to about half its step of 1/8.

# %%
rhos = np.linspace(0, 0.3, 61)


@jax.jit
@jax.vmap
def factors(rho):
  """What residuals are multiplied by per update, in the long run."""
  short = jnp.where(rho < 0.251, jnp.maximum(0.5 - 2 * rho, 1e-9), jnp.nan)
  growth = []
  for method in (
    extra(0.5, 0.5),
    extra(0.5, short),
    past(LARGEST, LARGEST),
    proximal_point.ProximalPoint(step_size=0.3),
    anchored_extragradient.AnchoredExtragradient(step_size=1 / 8),
    halpern.Halpern(step_size=0.3),
  ):
    values = residuals(method, outward(rho), 1200)
    growth.append((values[1200] / values[600]) ** (1 / 600))
  return growth


# The largest rho of the theorem, and one from which on the method diverges.
covered = {
  "extragradient, steps 1/2": (1 / 8, 0.15),
  "extragradient, steps 1/2 and 1/2 - 2 rho": (1 / 4, None),
  "optimistic gradient, steps 10/31": (5 / 62, 0.15),
  "proximal point, step 0.3": (0.15, 0.16),
  "anchored extragradient, step 1/8": (0.0, 0.075),
  "Halpern, step 0.3": (None, 0.0),
}
figure, axis = plt.subplots(figsize=(9, 4.2), layout="constrained")
for i, ((name, (largest, diverges)), values) in enumerate(
  zip(covered.items(), factors(jnp.asarray(rhos)), strict=True)
):
  axis.plot(rhos, values, color=f"C{i}", label=name)
  if largest is not None:
    known = np.isfinite(values)
    at = np.interp(largest, rhos[known], values[known])
    axis.plot(largest, at, "o", color=f"C{i}")
    assert (values[rhos < largest - 1e-9] < 1).all()
  if diverges is not None:
    assert (values[rhos >= diverges - 1e-9] > 1).all()
  if name.startswith("anchored"):
    # It outlasts its theorem.
    assert (values[rhos <= 0.05] < 1).all()
axis.axhline(1, color="k", lw=1)
axis.set(
  xlabel="rho, in units of 1 / L",
  ylabel="factor of the residual per update",
  ylim=(0.78, 1.2),
)
axis.grid(alpha=0.4)
figure.legend(loc="outside right center")
plt.show()

# %% [markdown]
# ## Anchors: `1 / k^2` for the last iterate
#
# Halpern's iteration on a cocoercive operator, where a rotation for every
# number of updates attains the bound: an envelope of worst cases (Lieder, 2021,
# https://doi.org/10.1007/s11590-020-01617-9). The anchored extragradient on a
# bilinear game, with slow directions of all lengths. And Halpern's iteration on
# a sum of 400 cocoercive components against its variance-reduced form, which
# draws 20 of them for most updates: by evaluations of components, the mean over
# 16 seeds. Its own constant is not known to us; the bound is that of Halpern's
# iteration at the same step.

# %%
STEP = 0.4
turns = np.unique(np.geomspace(1, 300, 12).astype(int))


def rotation(angle):
  """A cocoercive operator of which one step is a rotation."""
  c, s = jnp.cos(angle), jnp.sin(angle)
  return linear((jnp.eye(2) - jnp.array([[c, -s], [s, c]])) / STEP)


@jax.vmap
def on_rotations(angle):
  return residuals(halpern.Halpern(step_size=STEP), rotation(angle), 300)


halpern_worst = on_rotations(np.pi / (turns + 1))
counts = np.arange(1, 2002)
halpern_bound = 4 / (STEP**2 * counts[:301] ** 2)

payoff = np.diag(np.geomspace(1, 1e-3, 12))
anchored = residuals(
  anchored_extragradient.AnchoredExtragradient(step_size=1 / 8),
  operator_lib.of_game(matrix_game.zero_sum_game(payoff)),
  2000,
  np.ones(24),
)
anchored_bound = 260 * 24 / counts**2

NUM_COMPONENTS, BATCH, SEEDS = 400, 20, 16
rng = np.random.default_rng(0)
factor, skew = rng.normal(size=(2, NUM_COMPONENTS, 4, 4))
monotone = factor @ factor.mT / 10 + skew - skew.mT
components = operator_lib.FiniteSum(
  # Resolvents of monotone operators are 1-cocoercive.
  matrices=jnp.asarray(np.linalg.inv(monotone + np.eye(4))),
  offsets=jnp.asarray(3 * rng.normal(size=(NUM_COMPONENTS, 4))),
)
whole = operator_lib.Linear(
  matrix=components.matrices.mean(axis=0),
  offset=components.offsets.mean(axis=0),
)
distance = float(jnp.sum(jnp.linalg.solve(whole.matrix, whole.offset) ** 2))


@jax.jit
@jax.vmap
def reduced(seed):
  """Residuals by update, and the evaluations each is expected to cost."""
  method = variance_reduced_halpern.VarianceReducedHalpern(
    step_size=0.25, batch_size=BATCH, seed=seed
  )

  def step(state, _):
    full = method.probability(components, state)
    cost = full * NUM_COMPONENTS + (1 - full) * 2 * BATCH
    residual = jnp.sum(components(state.point) ** 2)
    return method.update(components, state), (residual, cost)

  state = method.init(components, jnp.zeros(4))
  return jax.lax.scan(step, state, length=1001)[1]


drawn, cost = (x.mean(axis=0) for x in reduced(jnp.arange(SEEDS)))
spent = NUM_COMPONENTS + np.concatenate([[0], np.cumsum(cost)[:-1]])
full = residuals(halpern.Halpern(step_size=0.25), whole, 1000, np.zeros(4))
full_spent = NUM_COMPONENTS * counts[:1001]
full_bound = 4 * distance / (0.25 * counts[:1001]) ** 2

figure, axes = plt.subplots(1, 3, figsize=(12, 4.3), layout="constrained")
for turn, values in zip(turns, halpern_worst, strict=True):
  # Up to where it attains the bound, before it turns back.
  axes[0].loglog(counts[: turn + 1], values[: turn + 1], color="C0", lw=1)
  axes[0].plot(turn + 1, values[turn], "o", color="C0", ms=4)
axes[0].plot([], [], "o-", color="C0", lw=1, ms=4, label="Halpern, rotations")
axes[0].loglog(counts[:301], halpern_bound, "--k", label="bound")
axes[0].set(title="cocoercive", xlabel="updates + 1", ylim=(1e-5, 200))
axes[1].loglog(counts, anchored, label="anchored extragradient")
axes[1].loglog(counts, anchored_bound, "--k", label="bound")
axes[1].set(title="bilinear game", xlabel="updates + 1")
axes[2].loglog(full_spent, full, label="Halpern")
axes[2].loglog(spent, drawn, label="variance-reduced")
axes[2].loglog(full_spent, full_bound, "--k", label="bound of Halpern")
axes[2].set(title="cocoercive sum", xlabel="evaluations of components")
axes[0].set_ylabel("squared residual")
for axis in axes:
  axis.grid(alpha=0.4)
  axis.legend(loc="lower left")
plt.show()

assert (halpern_worst <= halpern_bound * (1 + 1e-9)).all()
attained = halpern_worst[np.arange(len(turns)), turns] / halpern_bound[turns]
np.testing.assert_allclose(attained, 1, rtol=1e-9)
assert (anchored <= anchored_bound).all()
power = np.log(anchored[100] / anchored[2000]) / np.log(20)
assert 1.5 < power < 2.5
assert (full <= full_bound).all()
assert (drawn <= 1.1 * full_bound).all()
saved = np.interp(1e-4, full[::-1], full_spent[::-1]) / np.interp(
  1e-4, drawn[::-1], spent[::-1]
)
print(f"power of the anchored extragradient {power:.2f}")
print(f"evaluations saved by drawing: a factor of {saved:.1f}")
assert saved > 1.8
