"""Tests that native environments keep the contract of environments."""

from absl.testing import absltest, parameterized
import pytest

from mdrl import envs
from mdrl.testing import env_checks


class ContractTest(parameterized.TestCase):
  def test_a_small_board_keeps_it(self):
    env_checks.check_env(envs.DarkHex(num_rows=2, num_cols=2), num_games=32)

  @parameterized.named_parameters(
    ("phantom_tic_tac_toe", lambda: envs.PhantomTicTacToe(abrupt=True)),
    ("first_stones", lambda: envs.DarkHex(first_stones=(0, 8))),
    ("goofspiel", lambda: envs.Goofspiel(num_cards=5, players=3)),
    ("hidden_bids", lambda: envs.Goofspiel(num_cards=4, imp_info=True)),
    ("liars_dice", lambda: envs.LiarsDice(numdice=2, dice_sides=3, players=3)),
  )
  @pytest.mark.slow
  def test_they_keep_it(self, make):
    env_checks.check_env(make(), num_games=32)


if __name__ == "__main__":
  absltest.main()
