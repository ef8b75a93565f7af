"""Tests of files against Gambit's own reader, where it is installed.

pygambit is not among our packages, as it has had wheels for Python 3.11 in
pre-releases only: `pip install --pre --only-binary :all: pygambit`, elsewhere.
"""

import io
import pathlib

from absl.testing import absltest
import numpy as np

from mdrl.compile import efg_tree, nfg_file
from tests.compile import efg_writer

try:
  import pygambit  # pyright: ignore[reportMissingImports]
except ImportError:
  pygambit = None


@absltest.skipIf(pygambit is None, "needs pygambit 17, which is not installed")
class GambitTest(absltest.TestCase):
  def test_values_are_those_of_gambit(self):
    for seed in range(300):
      with self.subTest(seed=seed):
        self._compare(seed)

  def test_payoffs_are_those_of_gambit(self):
    for seed in range(50):
      with self.subTest(seed=seed):
        self._compare_normal_form(seed)

  def _compare_normal_form(self, seed):
    rng = np.random.default_rng(seed)
    shape = rng.integers(1, 5, rng.integers(1, 4)).tolist()
    players = " ".join(f'"{i}"' for i in range(len(shape)))
    payoffs = rng.integers(-9, 9, (4, len(shape)))
    text = f'NFG 1 R "" {{ {players} }} {{ {" ".join(map(str, shape))} }}\n'
    if seed % 2:
      chosen = rng.integers(0, 5, np.prod(shape))
      text += (
        "{"
        + "".join(
          f'{{ "{k}" {", ".join(map(str, row))} }}'
          for k, row in enumerate(payoffs)
        )
        + "}"
        + " ".join(map(str, chosen))
      )
    else:
      chosen = rng.choice(4, np.prod(shape))
      text += " ".join(map(str, payoffs[chosen].ravel()))
    tables = nfg_file.read(pathlib.Path("some.nfg"), text.encode(), 1000)
    mixed = [rng.dirichlet(np.ones(width)).tolist() for width in shape]
    reach = np.prod(
      [
        np.array(moves)[tables.sequence[:, i] - 1]
        for i, moves in enumerate(mixed)
      ],
      axis=0,
    )
    game = pygambit.read_nfg(io.StringIO(text))
    expected = game.mixed_strategy_profile(mixed).payoffs
    np.testing.assert_allclose(
      reach @ tables.utility,
      [float(expected[player]) for player in game.players],
      rtol=0,
      atol=1e-11,
    )

  def _compare(self, seed):
    tree = efg_writer.Tree(seed)
    text = efg_writer.Writer(tree, seed).text()
    tables = efg_tree.read(pathlib.Path("some.efg"), text.encode(), 10_000)
    policies = {
      f"{s.player}-{s.player}-{s.number}-{s.name}": policy
      for s, policy in tree.random_policies(seed).items()
    }
    moves = [
      [policies[name].tolist() for name in names] for names in tables.infostates
    ]
    reach = tables.chance.copy()
    for player, rows in enumerate(moves):
      plan = np.array([1.0, *(p for row in rows for p in row)])
      above = np.repeat(tables.parent[player], tables.width[player])
      for sequence, parent in enumerate(above, 1):
        plan[sequence] *= plan[parent]
      reach *= plan[tables.sequence[:, player]]
    game = pygambit.read_efg(io.StringIO(text))
    # Both have sets in order of the file.
    payoffs = game.mixed_behavior_profile(moves).payoffs
    np.testing.assert_allclose(
      reach @ tables.utility,
      [float(payoffs[player]) for player in game.players],
      rtol=0,
      atol=1e-11,
    )


if __name__ == "__main__":
  absltest.main()
