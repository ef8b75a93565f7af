"""The contract checks find games and solvers that break the contract."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp

from mdrl import struct, testing
from mdrl.games import matrix_game
from mdrl.solvers import base as solver_lib
from mdrl.solvers import mirror_descent
from mdrl.testing import games
from mdrl.trees import quantities
from tests import named_rows


@struct.dataclass
class _Broken(solver_lib.Solver):
  """Mirror descent with one fault."""

  fault: str = struct.static()
  step_size: float = 0.1

  @property
  def _inner(self):
    return mirror_descent.MirrorDescent(step_size=self.step_size)

  def init(self, game, policies=None):
    return self._inner.init(game, policies)

  def update(self, game, state):
    after = self._inner.update(game, state)
    if self.fault == "step":
      return after._replace(step=state.step)
    if self.fault == "dtype":
      return after._replace(step=after.step.astype(game.dtype))
    if self.fault == "structure":
      return after._replace(dual=quantities.Duals(after.dual[:1]))
    if self.fault == "retrace":
      # A hyper-parameter that becomes part of the program.
      return after._replace(step=after.step + 0 * int(self.step_size))
    return after

  def policies(self, game, state):
    policies = self._inner.policies(game, state)
    if self.fault == "normalized":
      return quantities.Policies(1.5 * p for p in policies)
    if self.fault == "negative":
      return quantities.Policies(
        p.at[1].add(-1.0).at[2].add(1.0) for p in policies
      )
    return policies

  def plans(self, game, state):
    plans = super().plans(game, state)
    return quantities.Plans(plans[::-1]) if self.fault == "plans" else plans


class ContractsTest(parameterized.TestCase):
  @parameterized.named_parameters(*named_rows.named(games.TREES))
  def test_every_game_of_the_table_passes(self, name):
    testing.check_game(games.compiled(name)[0])

  @parameterized.parameters(((2, 3),), ((4, 1),), ((2, 3, 4),), ((5,),))
  def test_matrix_games_pass(self, shape):
    testing.check_game(games.random_matrix_game(shape))

  def test_finds_a_wrong_zero_sum(self):
    game = struct.replace(games.random_matrix_game((2, 3)), zero_sum=True)
    with self.assertRaisesRegex(AssertionError, "`zero_sum` is set"):
      testing.check_game(game)

  def test_finds_a_wrong_dtype(self):
    game = games.random_zero_sum_game(2, 3)
    payoffs = (game.payoffs[0], game.payoffs[1].astype("float32"))
    with self.assertRaises((AssertionError, TypeError, ValueError)):
      testing.check_game(struct.replace(game, payoffs=payoffs))

  def test_finds_a_gain_that_is_not_the_slope(self):
    game = games.random_zero_sum_game(2, 3)

    @struct.dataclass
    class Shifted(matrix_game.MatrixGame):
      def values(self, plans):
        return super().values(plans) + jnp.vdot(plans[0], plans[0])

    shifted = Shifted(
      treeplexes=game.treeplexes, payoffs=game.payoffs, zero_sum=False
    )
    with self.assertRaisesRegex(AssertionError, "is not the slope"):
      testing.check_game(shifted)

  def test_a_sound_solver_passes(self):
    game = games.random_zero_sum_game(2, 3)
    testing.check_solver(_Broken(fault="none"), game)

  @parameterized.parameters(
    ("step", "`step` is 0 after 6 updates"),
    ("dtype", "`update` changes .step from"),
    ("structure", "`update` changes the structure"),
    ("normalized", "rows that do not add up to 1"),
    ("negative", "has negative probabilities"),
    ("plans", "is not that of its policy"),
  )
  def test_finds_a_fault_in_a_solver(self, fault, message):
    game = games.random_zero_sum_game(3, 3)
    with self.assertRaisesRegex(AssertionError, message):
      testing.check_solver(_Broken(fault=fault), game)

  def test_finds_a_hyper_parameter_that_is_read_on_the_host(self):
    game = games.random_zero_sum_game(3, 3)
    with self.assertRaises(jax.errors.ConcretizationTypeError):
      testing.check_solver(_Broken(fault="retrace"), game)


if __name__ == "__main__":
  absltest.main()
