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
# # Rates of Nash learning, against their bounds
#
# How fast the solvers of preference games approach the equilibrium that a
# reference regularises, or the minimax winner of the game itself, in exact
# tables and double precision. Each cell asserts what its figure shows.

# %%
import itertools

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from mdrl import run
from mdrl.evaluation import preferences, queries
from mdrl.games import preference_game
from mdrl.preferences import models
from mdrl.solvers import (
  averaged,
  comal,
  egpo,
  nash_md,
  nash_mirror_prox,
  onpo,
  preference_variants,
)
from mdrl.trees import quantities


def softmax(logits):
  return np.exp(logits) / np.exp(logits).sum()


tilted = softmax(np.array([1.0, 0.0, -1.0]))
normal = softmax(np.random.default_rng(7).normal(size=10))
dice = preference_game.preference_game(models.dice(), tilted)
cycle = preference_game.preference_game(models.cycle(3), tilted)
random = preference_game.preference_game(models.uniform(10, seed=0), normal)
# A game, and the temperature that regularises it.
problems = {
  "dice, 0.1": (dice, 0.1),
  "rock-paper-scissors, 0.1": (cycle, 0.1),
  "10 random responses, 0.1": (random, 0.1),
  "10 random responses, 0.01": (random, 0.01),
}


def plan(game, plans):
  del game
  return plans[0]


def gap(game, plans):
  return preferences.duality_gap(game, plans)[0]


def divergences(solver, game, temperature, steps):
  """KL of the regularised equilibrium from the iterates."""
  path = run.run(solver, game, run.of_plans(plan), steps)[1].metrics
  fixed = game.plans(preferences.equilibrium(game, temperature))

  def divergence(x):
    return preferences.divergence(game, fixed, quantities.Plans((x,)))[0]

  return np.array(jax.vmap(divergence)(path))


def drawn(values):
  """Rounding may be zero or negative, which has no logarithm."""
  return np.maximum(values, 1e-17)


# %% [markdown]
# ## Nash-MD: at most `8 / (temperature^2 (T + 1))`
#
# With the steps of theorem 1 of Munos et al. (2024,
# https://arxiv.org/abs/2312.00886). The bound holds at every update and is far
# from tight: at temperature 0.1 the divergence falls like 1 / T^2 from 1,000 to
# 10,000 updates. At temperature 0.01 it falls faster there, and has not come to
# its rate yet. MTPO, which plays against the iterate and not the mixture, has
# the same steps here; no rate is claimed for it.

# %%
steps = np.arange(10_001)
figure, axes = plt.subplots(
  2, 2, figsize=(9, 6.5), sharex=True, layout="constrained"
)
for axis, (name, (game, temperature)) in zip(
  axes.flat, problems.items(), strict=True
):
  schedule = nash_md.paper_schedule(temperature)
  kl = divergences(
    nash_md.NashMD(step_size=schedule, temperature=temperature),
    game,
    temperature,
    steps,
  )
  opponent = divergences(
    nash_md.NashMD(step_size=schedule, temperature=temperature, mixture=0.0),
    game,
    temperature,
    steps,
  )
  bound = 8 / (temperature**2 * (steps + 1))
  axis.loglog(steps[1:], kl[1:], label="Nash-MD")
  shown = steps[1:][opponent[1:] > 2e-15]
  axis.loglog(shown, opponent[shown], ":", label="MTPO")
  axis.loglog(steps[1:], bound[1:], "--k", label="bound for Nash-MD")
  axis.set_title(name)
  axis.grid(alpha=0.4)

  assert (kl <= bound).all()
  # Ten times the updates, a hundredth of the divergence.
  if temperature == 0.1:
    assert 90 < kl[1000] / kl[-1] < 110
    assert 3.9 < kl[5000] / kl[-1] < 4.1
  else:
    assert kl[1000] / kl[-1] > 1000
    assert kl[5000] / kl[-1] > 10
  assert kl[-1] < 1e-5
  assert opponent[-1] < 1e-5
for axis in axes[1]:
  axis.set_xlabel("updates")
for axis in axes[:, 0]:
  axis.set_ylabel("divergence")
axes[1, 1].legend(loc="lower left")
plt.show()

# %% [markdown]
# ## Nash Mirror Prox: `(1 + 2 temperature)^-k`
#
# The rate of Tiapkin et al. (2025, https://arxiv.org/abs/2505.19731, version 1)
# at their eta = 2 beta, which is a step size of 2. It holds at every update. An
# update makes two preference queries, each the win rates of all responses
# against one policy, so that N queries give `(1 + 2 temperature)^(-N/2)`.
#
# Per query it is the first of the four methods shown to a divergence of 1e-12,
# on all four problems, and at temperature 0.01 the first to 1e-4 and 1e-8, too.
# At temperature 0.1 others lead on the way: Nash-MD and MTPO, whose first steps
# are long, come to 1e-4 with fewer queries on the dice, and MTPO on the random
# responses; on the dice MTPO is still the first to 1e-8.

# %%
steps = np.arange(1001)
figure, axes = plt.subplots(
  1, 2, figsize=(10, 4), sharey=True, layout="constrained"
)
colors = ["tab:blue", "tab:orange", "tab:green", "tab:red"]
for color, (name, (game, temperature)) in zip(
  colors, problems.items(), strict=True
):
  solver = nash_mirror_prox.NashMirrorProx(
    step_size=2.0, temperature=temperature
  )
  kl = divergences(solver, game, temperature, steps)
  bound = kl[0] * (1 + 2 * temperature) ** -steps.astype(float)
  shown = drawn(kl) > 1e-15
  axes[0].semilogy(steps[shown], kl[shown], color=color, label=name)
  axes[0].semilogy(steps, bound, "--", color=color, lw=1)

  assert queries.count(solver, game) == queries.Queries(init=0, update=2)
  assert (kl <= bound + 1e-15).all()
  assert kl[-1] < 1e-15
axes[0].set(
  xlabel="updates",
  ylabel="divergence",
  title="Nash Mirror Prox; bounds dashed",
  xlim=(0, 500),
  ylim=(1e-16, 30),
)
axes[0].legend(fontsize=8, loc="lower right")


def rivals(temperature):
  schedule = nash_md.paper_schedule(temperature)
  return {
    "Nash Mirror Prox": nash_mirror_prox.NashMirrorProx(
      step_size=2.0, temperature=temperature
    ),
    "EGPO, step 1": egpo.EGPO(step_size=1.0, temperature=temperature),
    "MTPO": nash_md.NashMD(
      step_size=schedule, temperature=temperature, mixture=0.0
    ),
    "Nash-MD": nash_md.NashMD(step_size=schedule, temperature=temperature),
  }


NUM_QUERIES = 2000
TOLERANCES = (1e-4, 1e-8, 1e-12)
spent = {}
for problem, (game, temperature) in problems.items():
  for name, solver in rivals(temperature).items():
    each = queries.count(solver, game).update
    steps = np.arange(0, NUM_QUERIES // each + 1)
    kl = divergences(solver, game, temperature, steps)
    for tolerance in TOLERANCES:
      below = each * steps[kl < tolerance]
      spent[problem, tolerance, name] = below[0] if len(below) else np.inf
    if temperature == 0.01:
      axes[1].semilogy(each * steps, drawn(kl), label=name)
      if name == "Nash Mirror Prox":
        bound = kl[0] * (1 + 2 * temperature) ** (-each * steps / 2)
        axes[1].semilogy(each * steps, bound, "--k", label="its bound")
axes[1].set(
  xlabel="preference queries", title="10 random responses, temperature 0.01"
)
axes[1].legend(fontsize=8, loc="lower left")
for axis in axes:
  axis.grid(alpha=0.4)
plt.show()

first = {}
for problem, tolerance in itertools.product(problems, TOLERANCES):
  used = {name: spent[problem, tolerance, name] for name in rivals(temperature)}
  first[problem, tolerance] = min(used, key=used.__getitem__)
  counts = ", ".join(f"{name} {count:g}" for name, count in used.items())
  print(f"{problem}, queries to {tolerance:g}: {counts}")
for problem in problems:
  assert first[problem, 1e-12] == "Nash Mirror Prox"
for tolerance in TOLERANCES:
  problem = "10 random responses, 0.01"
  assert first[problem, tolerance] == "Nash Mirror Prox"
assert first["dice, 0.1", 1e-4] == first["dice, 0.1", 1e-8] == "MTPO"
assert first["10 random responses, 0.1", 1e-4] == "MTPO"
dice_queries = [spent["dice, 0.1", 1e-4, name] for name in rivals(0.1)]
assert dice_queries[3] < dice_queries[0]

# %% [markdown]
# Steps much longer than 2 stall. Sixty step sizes are one program.

# %%
sizes = jnp.geomspace(0.25, 50, 60)


def last_divergence(step_size, temperature):
  solver = nash_mirror_prox.NashMirrorProx(
    step_size=step_size, temperature=temperature
  )
  path = run.run(solver, cycle, run.of_plans(plan), [600])[1].metrics
  fixed = cycle.plans(preferences.equilibrium(cycle, temperature))
  return preferences.divergence(cycle, fixed, quantities.Plans((path[0],)))[0]


figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
for temperature in (0.1, 0.03, 0.01):
  kl = np.array(
    jax.vmap(last_divergence, in_axes=(0, None))(sizes, temperature)
  )
  axis.loglog(sizes, drawn(kl), "o-", ms=3, label=f"{temperature}")
  assert kl[(sizes > 1.5) & (sizes <= 2)].max() < 1e-9
  assert kl[sizes > 9].min() > 1e-3
axis.axvline(2, color="k", ls=":", label="step size 2")
axis.set(
  xlabel="step size",
  ylabel="divergence after 600 updates",
  title="Nash Mirror Prox on rock-paper-scissors",
)
axis.grid(alpha=0.4)
axis.legend(title="temperature")
plt.show()

# %% [markdown]
# ## SPO: the average gap is at most twice the regret
#
# Hedge of n responses from a uniform policy has at most
# `2 (log(n) / (step_size T) + step_size / 8)` after T updates. A step size
# chosen for T, `sqrt(8 log(n) / T)`, makes this `sqrt(2 log(n) / T)`. Each dot
# is a run of its own. The last policy does not converge.

# %%
plain = preference_game.preference_game(models.uniform(10, seed=0))
steps = run.log_checkpoints(10_000, 60)
constant = preference_variants.spo(0.1)
average = np.array(
  run.run(constant, plain, run.of_plans(gap), steps)[1].metrics
)
bound = 2 * (np.log(10) / (0.1 * steps[1:]) + 0.1 / 8)
horizons = np.unique(np.geomspace(20, 10_000, 20).astype(int))
best = np.sqrt(8 * np.log(10) / horizons)


@jax.jit
@jax.vmap
def tuned_gap(step_size, horizon):
  solver = preference_variants.spo(step_size)
  state = run.advance(solver, plain, run.init(solver, plain), horizon)
  return gap(plain, solver.plans(plain, state))


tuned = np.array(tuned_gap(jnp.asarray(best), jnp.asarray(horizons)))


def last_gap(step):
  state = run.advance(constant, plain, run.init(constant, plain), step)
  return gap(plain, plain.plans(constant.last_policies(plain, state)))


last = np.array(jax.vmap(last_gap)(jnp.asarray(steps)))
tuned_bound = np.sqrt(2 * np.log(10) / horizons)
figure, axis = plt.subplots(figsize=(6.5, 4.2), layout="constrained")
axis.loglog(steps[1:], last[1:], color="0.6", label="last policy, step 0.1")
axis.loglog(steps[1:], average[1:], color="C0", label="average, step 0.1")
axis.loglog(steps[1:], bound, "--", color="C0", label="its bound")
axis.loglog(horizons, tuned, "o", color="C1", label="average, tuned step")
axis.loglog(horizons, tuned_bound, "--", color="C1", label="its bound")
axis.set(xlabel="updates", ylabel="duality gap", ylim=(1e-3, 3))
axis.grid(alpha=0.4)
axis.legend(ncols=2, fontsize=8, loc="lower left")
plt.show()

assert (average[1:] <= bound).all()
assert (tuned <= tuned_bound).all()
assert average[-1] < 0.01
assert last[-10:].max() > 0.1

# %% [markdown]
# ## ONPO: optimism gives 1 / T, and a last iterate
#
# The average is at most `2 (log(n) / step_size + step_size / 4) / T`, by the
# argument of Syrgkanis et al. (2015, https://arxiv.org/abs/1507.00407) with
# gains that change by half as much as the policy. The last iterate converges at
# a linear rate, after a while; theorem 3 of Zhang et al. (2025,
# https://arxiv.org/abs/2502.16852) says so of steps of at most 1/8.

# %%
STEP_SIZE = 0.5
solver = onpo.ONPO(step_size=STEP_SIZE)
last = np.array(run.run(solver, plain, run.of_plans(gap), steps)[1].metrics)
average = np.array(
  run.run(averaged.Averaged(solver=solver), plain, run.of_plans(gap), steps)[
    1
  ].metrics
)
bound = 2 * (np.log(10) / STEP_SIZE + STEP_SIZE / 4) / steps[1:]
figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
axis.loglog(steps[1:], last[1:], label="last")
axis.loglog(steps[1:], average[1:], label="average")
axis.loglog(steps[1:], bound, "--k", label="bound for the average")
axis.set(xlabel="updates", ylabel="duality gap", title="ONPO, step size 1/2")
axis.grid(alpha=0.4)
axis.legend(loc="lower left")
plt.show()

assert (average[1:] <= bound).all()
assert average[-1] * 10_000 < 10
assert last[-1] < 1e-9

# %% [markdown]
# ## COMAL: to machine precision
#
# Nash Mirror Prox solves a game of temperature 0.1; then its solution becomes
# the reference, and so on. The bias of the first reference goes away. Inner
# runs that end early, at a loose tolerance, save updates here.

# %%
figure, axes = plt.subplots(
  1, 2, figsize=(10, 4), sharey=True, layout="constrained"
)
steps = np.unique(np.concatenate([np.arange(0, 100), np.arange(100, 6001, 10)]))
inner = nash_mirror_prox.NashMirrorProx(step_size=2.0, temperature=0.1)
for axis, (name, game) in zip(
  axes,
  {"rock-paper-scissors": cycle, "10 random responses": random}.items(),
  strict=True,
):
  biased = np.array(run.run(inner, game, run.of_plans(gap), steps)[1].metrics)
  axis.loglog(steps[1:], biased[1:], "k", label="one reference")
  ends = {}
  for tolerance in (1e-3, 1e-6, 1e-9):
    solver = comal.Comal(solver=inner, tolerance=tolerance)
    state, trace = run.run(solver, game, run.of_plans(gap), steps)
    axis.loglog(
      steps[1:], drawn(trace.metrics)[1:], label=f"tolerance {tolerance:g}"
    )
    ends[tolerance] = float(trace.metrics[-1])
    assert int(state.num_refreshes) > 20
  axis.set(xlabel="updates", title=f"COMAL on {name}")
  axis.grid(alpha=0.4)

  assert biased[-1] > 0.1
  assert ends[1e-3] < 1e-14
  assert ends[1e-6] < 1e-9
axes[0].set_ylabel("duality gap")
axes[0].legend(loc="lower left")
plt.show()

# %% [markdown]
# ## INPO: the published ratio cycles
#
# The paper's language models are trained with eta = 3 temperature, an inverse
# step. In tables, and with preferences as cyclic as these, that is too long a
# step at these temperatures; short steps converge. On the dice, whose cycle is
# weak, it is a fine one.

# %%
steps = np.arange(3001)
figure, axes = plt.subplots(
  1, 2, figsize=(10, 4), sharey=True, layout="constrained"
)
for axis, (name, game) in zip(
  axes, {"rock-paper-scissors": cycle, "dice": dice}.items(), strict=True
):
  for color, temperature in zip(("C0", "C1"), (0.1, 0.05), strict=True):
    published = preference_variants.inpo_published(temperature).step_size
    for style, step_size in (("-", published), ("--", 0.3)):
      solver = preference_variants.inpo(step_size, temperature)
      kl = divergences(solver, game, temperature, steps)
      shown = steps[1:][kl[1:] > 2e-15]
      axis.loglog(
        shown,
        kl[shown],
        style,
        color=color,
        label=f"temperature {temperature}, step {step_size:.2g}",
      )
      if name == "dice" or step_size == 0.3:
        assert kl[-1] < 1e-15
      else:
        assert kl[-1000:].min() > 0.1
  axis.set(xlabel="updates", title=name, ylim=(1e-15, 10))
  axis.grid(alpha=0.4)
axes[0].set_ylabel("divergence")
axes[0].legend(loc="lower left", fontsize=8)
plt.show()

# %% [markdown]
# ## Nash-MD with a mixture that stays
#
# With an opponent mixed with weight b of the reference at every update, as
# language models are trained, the fixed point moves. The opponent (solid) is
# then the equilibrium of temperature / (1 - b), and the policy (dashed) stays
# away from the equilibrium of its own temperature.

# %%
steps = run.log_checkpoints(3000, 80)
temperature = 0.1
figure, axis = plt.subplots(figsize=(6.5, 4.2), layout="constrained")
biases = []
for number, mixture in enumerate((0.0, 0.125, 0.25, 0.5, 0.75)):
  solver = nash_md.NashMD(
    step_size=0.3, temperature=temperature, mixture=mixture
  )
  own = divergences(solver, cycle, temperature, steps)
  path = np.array(run.run(solver, cycle, run.of_plans(plan), steps)[1].metrics)[
    :, 1:
  ]
  opponent = path ** (1 - mixture) * tilted**mixture
  opponent /= opponent.sum(axis=1, keepdims=True)
  warmer = preferences.equilibrium(cycle, temperature / (1 - mixture))
  target = np.array(warmer[0])[1:]
  kl = (target * np.log(target / opponent)).sum(axis=1)
  shown = (steps > 0) & (kl > 2e-15)
  axis.loglog(
    steps[shown], kl[shown], color=f"C{number}", label=f"b = {mixture}"
  )
  if mixture:
    axis.loglog(steps[1:], own[1:], "--", color=f"C{number}")
    biases.append(own[-1])
  assert abs(kl[-1]) < 1e-14
axis.set(xlabel="updates", ylabel="divergence")
axis.grid(alpha=0.4)
axis.legend(loc="lower left")
plt.show()

assert (np.diff(biases) > 0).all()
assert biases[0] > 5e-3
