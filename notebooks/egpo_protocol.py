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
# # The protocol of EGPO's simulations, and the whole family in it
#
# Zhou, Fazel & Du (2025, https://arxiv.org/abs/2503.08942) simulate ten games
# of ten responses. Preferences below the diagonal are drawn from [0, 1], and
# the logits of the reference from a standard normal distribution. What counts
# is the duality gap of the regularised game, after a number of updates for each
# of three temperatures. All ten games are one program, by `vmap`. Each cell
# asserts what its figure shows.
#
# The protocol is that of the authors' code: sizes, distributions, temperatures,
# learning rates, numbers of updates and measure, with exact gradients in
# tables. Games and references are drawn from other seeds, so that no number
# here is one of theirs, and none of theirs is repeated. Of the five methods in
# their code, three are here: EGPO, Nash-MD, and OMD, which is their first
# online IPO. Their second online IPO, whose pairs are drawn from the policy,
# and Nash-MD by policy gradients are not; nor are their sampled gradients and
# networks.

# %%
from typing import NamedTuple

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
  egpo,
  iterative_ipo,
  magnetic,
  nash_ema,
  nash_md,
  nash_mirror_prox,
  preference_variants,
)
from mdrl.trees import quantities

NUM_GAMES, NUM_RESPONSES = 10, 10


class Setting(NamedTuple):
  temperature: float
  num_updates: int
  learning_rate: float

  @property
  def step_size(self):
    return egpo.simulation_step_size(
      self.learning_rate, self.temperature, NUM_RESPONSES
    )


settings = (
  Setting(0.1, 1000, 0.1),
  Setting(0.01, 5000, 0.02),
  Setting(0.001, 100_000, 2e-4),
)


def draw_game(seed):
  logits = np.random.default_rng(NUM_GAMES + seed).normal(size=NUM_RESPONSES)
  return preference_game.preference_game(
    models.uniform(NUM_RESPONSES, seed),
    np.exp(logits) / np.exp(logits).sum(),
  )


single = draw_game(0)
games = preference_game.stack([draw_game(seed) for seed in range(NUM_GAMES)])

# %% [markdown]
# ## A learning rate is a step size
#
# The authors' updates are gradient descent at rate lr on a loss over pairs of n
# responses y, y', both drawn uniformly,
#
#     E (h_y - h_y' - (r_y - r_y') / temperature)^2,
#     h = log policy - log reference,  r = win rates against an opponent.
#
# With d = h - r / temperature the loss is 2 Var(d), and its gradient in the
# logits is (4 / n) (d - mean d). An update therefore is a step of size
# `4 lr / (temperature n)` in units of 1 / utility. The authors' own conversion,
# `true_lr`, has a 2 in place of the 4: half the step that the loss makes.


# %%
def pair_loss(logits, reference, rates, temperature):
  h = jax.nn.log_softmax(logits) - reference
  d = h - rates / temperature
  return jnp.mean((d[:, None] - d[None]) ** 2)


reference = jnp.log(single.reference[0][1:])
policy = jax.nn.softmax(jnp.arange(NUM_RESPONSES) / 3)
rates = single.preferences[0] @ policy
for setting in settings:
  logits = jnp.log(policy)
  slope = jax.grad(pair_loss)(logits, reference, rates, setting.temperature)
  descended = jax.nn.softmax(logits - setting.learning_rate * slope)
  # With the policy itself as the opponent, that is one update of INPO.
  solver = preference_variants.inpo(setting.step_size, setting.temperature)
  first = quantities.Policies((single.slots(policy[None]),))
  state = solver.init(single, first)
  updated = solver.policies(single, solver.update(single, state))[0][1:]
  assert jnp.abs(descended - updated).max() < 1e-13
  print(
    f"temperature {setting.temperature:5}: {setting.num_updates:6} updates, "
    f"learning rate {setting.learning_rate:6}, step size "
    f"{setting.step_size:.2f}"
  )

# %% [markdown]
# ## OMD, Nash-MD and EGPO
#
# OMD (which is MTPO, and INPO) plays against the iterate, Nash-MD against its
# mixture with the reference, and EGPO against a midpoint, at two preference
# queries per update. All have the same step. Nash-MD is shown with two
# mixtures: step_size * temperature, as in its paper, and half of it, which
# `true_lr` makes it. Coloured lines are medians over games, areas go from the
# least to the greatest gap, and thin lines are the games.


# %%
def plan(game, plans):
  del game
  return plans[0]


def gaps(solver, setting, steps):
  """The regularised gap by game and checkpoint; rounding may be negative."""

  def of_game(game):
    def gap(x):
      plans = quantities.Plans((x,))
      return preferences.regularized_gap(game, plans, setting.temperature)[0]

    return jax.vmap(gap)(
      run.run(solver, game, run.of_plans(plan), steps)[1].metrics
    )

  return np.maximum(np.array(jax.vmap(of_game)(games)), 1e-17)


def simulated(setting):
  step_size, temperature = setting.step_size, setting.temperature
  mixture = step_size * temperature
  return {
    "OMD": nash_md.NashMD(
      step_size=step_size, temperature=temperature, mixture=0.0
    ),
    "Nash-MD": nash_md.NashMD(step_size=step_size, temperature=temperature),
    "Nash-MD, half the mixture": nash_md.NashMD(
      step_size=step_size, temperature=temperature, mixture=mixture / 2
    ),
    "EGPO": egpo.EGPO(step_size=step_size, temperature=temperature),
  }


curves = {
  (setting, name): gaps(
    solver, setting, run.log_checkpoints(setting.num_updates, 120)
  )
  for setting in settings
  for name, solver in simulated(setting).items()
}
names = list(simulated(settings[0]))
figure, axes = plt.subplots(
  4, 3, figsize=(11, 10), sharex="col", sharey=True, layout="constrained"
)
for row, name in enumerate(names):
  for column, setting in enumerate(settings):
    axis, values = axes[row, column], curves[setting, name]
    steps = run.log_checkpoints(setting.num_updates, 120)
    axis.fill_between(
      steps[1:],
      values.min(axis=0)[1:],
      values.max(axis=0)[1:],
      color=f"C{row}",
      alpha=0.2,
      linewidth=0,
    )
    axis.loglog(steps[1:], values[:, 1:].T, color="0.3", lw=0.3)
    axis.loglog(steps[1:], np.median(values, axis=0)[1:], color=f"C{row}", lw=2)
    axis.grid(alpha=0.4)
    axis.set_ylim(3e-18, 3)
    axes[0, column].set_title(f"temperature {setting.temperature}")
    axes[-1, column].set_xlabel("updates")
  axes[row, 0].set_ylabel(name)
figure.supylabel("regularised duality gap")
plt.show()

final = {
  (setting.temperature, name): values[:, -1]
  for (setting, name), values in curves.items()
}
for (temperature, name), values in final.items():
  print(
    f"{temperature:5} {name:26} median {np.median(values):.1e}, from "
    f"{values.min():.1e} to {values.max():.1e}"
  )
assert max(final[0.1, "OMD"]) < 1e-14
assert max(final[0.1, "EGPO"]) < 1e-14
# The mixture has another fixed point, and half of it has another still.
assert 1e-6 < np.median(final[0.1, "Nash-MD, half the mixture"]) < 5e-5
assert 1e-5 < np.median(final[0.1, "Nash-MD"]) < 2e-4
assert max(final[0.01, "EGPO"]) < 1e-12
assert sum(final[0.01, "OMD"] > 0.01) >= 3
assert sum(final[0.01, "OMD"] < 1e-12) >= 1
assert sum(final[0.01, "Nash-MD"] > 0.01) >= 3
assert max(final[0.001, "EGPO"]) < 1e-6
assert sum(final[0.001, "OMD"] > 0.01) >= 3

# %% [markdown]
# By preference queries, EGPO pays twice for each update. It still is the only
# one of them to solve all games at the lower temperatures; at the highest, OMD
# is faster. Medians are solid, extremes dotted.

# %%
figure, axes = plt.subplots(
  1, 3, figsize=(12, 4), sharey=True, layout="constrained"
)
for axis, setting in zip(axes, settings, strict=True):
  steps = run.log_checkpoints(setting.num_updates, 120)
  for name, solver in simulated(setting).items():
    if name == "Nash-MD, half the mixture":
      continue
    color, values = f"C{names.index(name)}", curves[setting, name]
    each = queries.count(solver, single).update
    assert each == (2 if name == "EGPO" else 1)
    axis.loglog(
      each * steps[1:],
      np.median(values, axis=0)[1:],
      color=color,
      lw=2,
      label=name,
    )
    for extreme in (values.min(axis=0), values.max(axis=0)):
      axis.loglog(each * steps[1:], extreme[1:], ":", color=color, lw=1)
  axis.set(
    title=f"temperature {setting.temperature}",
    xlabel="preference queries",
    ylim=(3e-18, 3),
  )
  axis.grid(alpha=0.4)
axes[0].set_ylabel("regularised duality gap")
axes[0].legend(loc="lower left")
plt.show()


def spent(setting, name):
  """Median number of queries until the gap is below 1e-8."""
  steps = run.log_checkpoints(setting.num_updates, 120)
  each = queries.count(simulated(setting)[name], single).update
  below = curves[setting, name] < 1e-8
  return each * np.median(steps[below.argmax(axis=1)])


assert spent(settings[0], "OMD") < spent(settings[0], "EGPO")

# %% [markdown]
# ## Every regularised solver
#
# The same games and steps, to everybody twice as many preference queries as the
# protocol has updates: one-query methods make twice the updates. Each dot is a
# game, the bar the median. Nash Mirror Prox has its own step, 2 at every
# temperature; INPO also the published ratio; Nash-MD and OMD also the falling
# steps of Nash-MD's theorem. What is at the left edge is rounding.


# %%
def everybody(setting):
  step_size, temperature = setting.step_size, setting.temperature
  schedule = nash_md.paper_schedule(temperature)
  return {
    "Nash Mirror Prox, step 2": nash_mirror_prox.NashMirrorProx(
      step_size=2.0, temperature=temperature
    ),
    "EGPO": egpo.EGPO(step_size=step_size, temperature=temperature),
    "Nash-MD, falling steps": nash_md.NashMD(
      step_size=schedule, temperature=temperature
    ),
    "OMD, falling steps": nash_md.NashMD(
      step_size=schedule, temperature=temperature, mixture=0.0
    ),
    "Nash-MD": nash_md.NashMD(step_size=step_size, temperature=temperature),
    "magnetic mirror descent": magnetic.MagneticMirrorDescent(
      step_size=step_size, temperature=temperature
    ),
    "OMD": nash_md.NashMD(
      step_size=step_size, temperature=temperature, mixture=0.0
    ),
    "INPO": preference_variants.inpo(step_size, temperature),
    "INPO, published ratio": preference_variants.inpo_published(temperature),
    "Nash-EMA, decay 1/2": nash_ema.NashEMA(
      step_size=step_size, temperature=temperature, decay=0.5
    ),
    "IPO, iterated": iterative_ipo.IterativeIPO(temperature=temperature),
  }


figure, axes = plt.subplots(
  1, 3, figsize=(12, 4.5), sharey=True, layout="constrained"
)
ends = {}
for axis, setting in zip(axes, settings, strict=True):
  for row, (name, solver) in enumerate(everybody(setting).items()):
    per_update = queries.count(solver, single).update
    steps = [2 * setting.num_updates // per_update]
    values = gaps(solver, setting, steps)[:, 0]
    ends[setting.temperature, name] = values
    color = "C1" if per_update == 2 else "C0"
    axis.plot(values, np.full(NUM_GAMES, row), "o", color=color, alpha=0.5)
    axis.plot(np.median(values), row, "|", color="k", ms=16, mew=2)
  axis.set_xscale("log")
  axis.set(
    title=f"temperature {setting.temperature}",
    xlabel="regularised duality gap",
    xlim=(3e-18, 5),
  )
  axis.grid(alpha=0.4)
axes[0].set_yticks(range(len(everybody(settings[0]))), everybody(settings[0]))
axes[0].invert_yaxis()
axes[2].plot([], [], "o", color="C1", label="two queries per update")
axes[2].plot([], [], "o", color="C0", label="one query per update")
figure.legend(loc="outside lower center", ncols=2)
plt.show()

for setting in settings:
  temperature = setting.temperature
  assert max(ends[temperature, "Nash Mirror Prox, step 2"]) < 1e-15
  np.testing.assert_allclose(
    ends[temperature, "INPO"], ends[temperature, "OMD"], rtol=1e-3, atol=1e-6
  )
# With one query per update, falling steps alone come near in all games.
for name in ("Nash-MD, falling steps", "OMD, falling steps"):
  assert max(ends[0.01, name]) < 0.01
for name in ("Nash-MD", "OMD", "magnetic mirror descent"):
  assert max(ends[0.01, name]) > 0.2
converged = {key: int(sum(values < 1e-6)) for key, values in ends.items()}
for temperature in (0.1, 0.01, 0.001):
  assert converged[temperature, "EGPO"] == NUM_GAMES
for name in ("OMD", "magnetic mirror descent", "Nash-EMA, decay 1/2"):
  assert converged[0.1, name] == NUM_GAMES
  assert converged[0.01, name] < 8
  assert converged[0.001, name] < 8
assert converged[0.01, "INPO, published ratio"] < 5
assert converged[0.01, "IPO, iterated"] < 5
for name in everybody(settings[0]):
  counts = [converged[setting.temperature, name] for setting in settings]
  print(f"{name:26} {counts} of {NUM_GAMES} games to a gap below 1e-6")
