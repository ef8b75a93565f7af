"""Every solver of preference games keeps the contract and shares the answer."""

from absl.testing import absltest, parameterized
import jax.numpy as jnp
import numpy as np

from mdrl import run, testing
from mdrl.evaluation import preferences
from mdrl.games import preference_game
from mdrl.geometry import mirror_maps
from mdrl.preferences import models
from mdrl.solvers import (
  apo,
  comal,
  egpo,
  iterative_dpo,
  iterative_ipo,
  magnetic,
  mirror_prox,
  nash_ema,
  nash_md,
  nash_mirror_prox,
  onpo,
  optimistic,
  preference_variants,
  rlhf,
  spo_queue,
  srpo,
)
from mdrl.testing import games
from tests import named_rows

_STEP = {"step_size": 0.3, "temperature": 0.2}
# These read pairs of responses, so that only preference games will do.
PAIRWISE = {
  "iterative_dpo": iterative_dpo.IterativeDPO(temperature=2.0),
  "rlhf": rlhf.RLHF(**_STEP),
  "spo_queue": spo_queue.QueueSPO(step_size=0.3, length=8, num_samples=2),
  "srpo": srpo.SRPO(**_STEP),
}
GENERAL = {
  "apo": apo.APO(step_size=0.3),
  "comal": comal.Comal(
    solver=nash_mirror_prox.NashMirrorProx(**_STEP), tolerance=0.01
  ),
  "egpo": egpo.EGPO(**_STEP),
  "inpo": preference_variants.inpo(**_STEP),
  "iterative_ipo": iterative_ipo.IterativeIPO(temperature=2.0),
  "magnetic_preference": preference_variants.magnetic_preference(
    period=2, **_STEP
  ),
  "nash_ema": nash_ema.NashEMA(**_STEP),
  "nash_md": nash_md.NashMD(**_STEP),
  "nash_md_euclidean": nash_md.NashMD(
    mixture=0.1, mirror_map=mirror_maps.Euclidean(), **_STEP
  ),
  "nash_mirror_prox": nash_mirror_prox.NashMirrorProx(**_STEP),
  "onpo": onpo.ONPO(step_size=0.3),
  "spo": preference_variants.spo(0.3),
  "sppo": preference_variants.sppo(0.3),
}
OF_ALL_GAMES = {
  "magnetic": magnetic.MagneticMirrorDescent(**_STEP),
  "mirror_prox": mirror_prox.MirrorProx(step_size=0.3),
  "optimistic": optimistic.OptimisticMirrorDescent(step_size=0.3),
}
ALL = PAIRWISE | GENERAL | OF_ALL_GAMES

# Each solver of the regularised game, with steps that suit hard cycles.
REGULARIZED = {
  "egpo": lambda tau: egpo.EGPO(step_size=0.5, temperature=tau),
  "inpo": lambda tau: preference_variants.inpo(0.2, tau),
  "magnetic": lambda tau: magnetic.MagneticMirrorDescent(
    step_size=0.2, temperature=tau
  ),
  "nash_ema": lambda tau: nash_ema.NashEMA(
    step_size=0.05, temperature=tau, decay=0.5
  ),
  "nash_mirror_prox": lambda tau: nash_mirror_prox.NashMirrorProx(
    step_size=2.0, temperature=tau
  ),
}


class ConformanceTest(parameterized.TestCase):
  @parameterized.named_parameters(*named_rows.named(ALL))
  def test_keeps_the_contract(self, solver):
    testing.check_solver(ALL[solver], games.PREFERENCES["contexts"]())

  @parameterized.named_parameters(*named_rows.named(GENERAL))
  def test_runs_on_trees_and_more_players(self, solver):
    game, _ = games.compiled("kuhn_three_players")
    state = run.init(GENERAL[solver], game)
    state = run.advance(GENERAL[solver], game, state, 3)
    policies = GENERAL[solver].policies(game, state)
    for t, policy in zip(game.treeplexes, policies):
      table = np.asarray(t.to_table(policy))
      np.testing.assert_allclose(table.sum(axis=1), 1, atol=1e-12)

  @parameterized.named_parameters(
    *named_rows.named(("nash_mirror_prox", "iterative_dpo", "srpo"))
  )
  def test_in_single_precision(self, solver):
    game = preference_game.preference_game(
      models.uniform(5, 0), dtype=jnp.float32
    )
    testing.check_solver(ALL[solver], game)

  @parameterized.named_parameters(
    *(
      (f"{name}_at_{temperature}", name, temperature)
      for name in REGULARIZED
      for temperature in (0.2, 0.1)
    )
  )
  def test_regularised_solvers_share_the_fixed_point(self, name, temperature):
    solver = REGULARIZED[name](temperature)
    game = preference_game.preference_game(models.cycle(3), games.SKEWED)
    state = run.advance(solver, game, run.init(solver, game), 10_000)
    plans = solver.plans(game, state)
    self.assertLess(preferences.residual(game, plans, temperature)[0], 1e-8)
    policy = np.asarray(plans[0][1:])
    wins = models.cycle(3) @ policy
    logits = np.log(games.SKEWED) + wins / temperature
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(policy, expected, atol=1e-8)

  @parameterized.named_parameters(*named_rows.named(PAIRWISE | GENERAL))
  def test_contexts_do_not_touch_one_another(self, name):
    if name == "spo_queue":
      self.skipTest("contexts share the random key")
    solver = ALL[name]
    matrices = [models.uniform(4, seed) for seed in range(3)]
    references = np.random.default_rng(0).dirichlet(np.ones(4), size=3)
    together = _policies(solver, np.stack(matrices), references)
    for row, matrix, reference in zip(together, matrices, references):
      np.testing.assert_allclose(
        row, _policies(solver, matrix, reference)[0], atol=1e-12
      )


def _policies(solver, matrices, references):
  game = preference_game.preference_game(matrices, references)
  state = run.advance(solver, game, run.init(solver, game), 5)
  return np.asarray(game.by_context(solver.policies(game, state)[0]))


if __name__ == "__main__":
  absltest.main()
