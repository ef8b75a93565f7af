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
# # What the last iterate does
#
# Four solvers on Kuhn poker, in the sequence form with dilated negative
# entropy. Mirror descent only converges on average. Magnetic mirror descent
# converges at a linear rate to the equilibrium of the game that its temperature
# regularises; Mirror Prox and optimistic mirror descent approach a Nash
# equilibrium. Each cell asserts what its figure shows.

# %%
import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from mdrl import run
from mdrl.compile import openspiel
from mdrl.evaluation import gaps
from mdrl.geometry import dilated, mirror_maps
from mdrl.solvers import magnetic, mirror_descent, mirror_prox, optimistic

game, index = openspiel.compile_game("kuhn_poker")
steps = run.log_checkpoints(20_000, 60)

# %% [markdown]
# ## Exploitability

# %%
TEMPERATURE = 0.1
solvers = {
  "mirror descent": mirror_descent.MirrorDescent(step_size=1.0),
  "magnetic mirror descent": magnetic.MagneticMirrorDescent(
    step_size=0.9, temperature=TEMPERATURE
  ),
  "optimistic mirror descent": optimistic.OptimisticMirrorDescent(
    step_size=1.0
  ),
  "Mirror Prox": mirror_prox.MirrorProx(step_size=1.0),
}
figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
last = {}
for name, solver in solvers.items():
  _, trace = run.run(solver, game, run.of_plans(gaps.exploitability), steps)
  axes.loglog(trace.step[1:], trace.metrics[1:], label=name)
  last[name] = float(trace.metrics[-1])
axes.set(xlabel="updates", ylabel="exploitability of the last iterate")
axes.grid(alpha=0.4)
axes.legend()
plt.show()

assert last["mirror descent"] > 0.05
assert last["optimistic mirror descent"] < 1e-3
assert last["Mirror Prox"] < 1e-3
# The regularised equilibrium is exploitable: by this much at temperature 0.1.
assert abs(last["magnetic mirror descent"] - 0.10369406) < 1e-7

# %% [markdown]
# ## The linear rate of magnetic mirror descent
#
# With a step size of at most the temperature over the square of the largest
# payoff of a pair of sequences (1/3 here), the divergence of the regularised
# equilibrium from the iterate falls at least by `1 / (1 + step_size *
# temperature)` with every update.

# %%
solver = solvers["magnetic mirror descent"]
entropy = mirror_maps.NegativeEntropy()
end = run.advance(solver, game, run.init(solver, game), 5000)
fixed = solver.policies(game, end)


@jax.jit
def divergence(state):
  return sum(
    dilated.divergence(t, entropy, policy, dual)
    for t, policy, dual in zip(game.treeplexes, fixed, state.dual, strict=True)
  )


state, distances = run.init(solver, game), []
for _ in range(120):
  distances.append(float(divergence(state)))
  state = run.advance(solver, game, state, 1)
bound = distances[0] / (1 + 0.9 * TEMPERATURE) ** np.arange(120)
figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
axes.semilogy(distances, label="divergence")
axes.semilogy(bound, "--", label="bound")
axes.set(xlabel="updates", ylabel="divergence from the equilibrium")
axes.grid(alpha=0.4)
axes.legend()
plt.show()

assert (np.array(distances) <= bound + 1e-13).all()

# %% [markdown]
# ## A sweep is a `vmap`
#
# Hyper-parameters are leaves, so sixteen temperatures are one program.


# %%
def last_gap(temperature):
  solver = magnetic.MagneticMirrorDescent(
    step_size=0.5, temperature=temperature
  )
  return run.run(solver, game, run.of_plans(gaps.exploitability), [4000])[
    1
  ].metrics[0]


temperatures = jnp.geomspace(0.02, 1.0, 16)
gap = jax.vmap(last_gap)(temperatures)
figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
axes.loglog(temperatures, gap, "o-")
axes.set(xlabel="temperature", ylabel="exploitability after 4,000 updates")
axes.grid(alpha=0.4)
plt.show()

assert (np.diff(gap) > 0).all()
