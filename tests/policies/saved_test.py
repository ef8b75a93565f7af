"""Tests of saved policies: what comes back, and what is refused."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
from unittest import mock

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.solving import policy_file
from mdrl.policies import (
  architecture,
  evaluation,
  infostates,
  networks,
  saved,
  saved_arrays,
  table,
)
from mdrl.testing import games
from mdrl.trees import quantities
from tests import source_tree


def _network(seed=0, dtype=jnp.float64, **options):
  """Returns a network with random parameters, made without compiling."""
  rng = np.random.default_rng(seed)
  sizes = {"num_players": 2, "num_actions": 2, "observation_size": 11}
  own = architecture.Architecture(**(sizes | {"width": 4} | options))
  shapes = jax.eval_shape(
    lambda key: networks.init(own, key).parameters, jax.random.key(0)
  )
  return networks.NetworkPolicy(
    parameters=jax.tree.map(
      lambda leaf: jnp.asarray(rng.normal(size=leaf.shape), dtype), shapes
    ),
    architecture=own,
  )


def _random_policies(index, seed=0):
  """Returns random policies, some of whose probabilities are zero."""
  rng = np.random.default_rng(seed)
  policies = []
  for own in index.players:
    policy = np.zeros(len(own.action))
    for row in range(len(own.start)):
      weights = rng.random(own.width[row]) * (rng.random(own.width[row]) < 0.8)
      weights[rng.integers(len(weights))] += 0.1
      policy[own.slots(row)] = weights / weights.sum()
    policies.append(jnp.asarray(policy))
  return quantities.Policies(policies)


def _table(name="kuhn"):
  game, index = games.compiled(name, histories=True)
  everywhere = infostates.of_game(game, index)
  policies = _random_policies(index)
  return table.from_policies(policies, everywhere), policies, index, everywhere


def _write_npz(path, game, name):
  _, index = games.compiled(name, histories=True)
  policies = _random_policies(index)
  iterates = {"last": policies, "average": policies}
  with open(path, "wb") as file:
    policy_file.write(file, game, index, iterates, "last")
  return policies


class _Folder(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(
      self.enter_context(tempfile.TemporaryDirectory())
    )

  def assert_same(self, one, other):
    self.assertEqual(jax.tree.structure(one), jax.tree.structure(other))
    for x, y in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
      self.assertEqual(x.dtype, y.dtype)
      np.testing.assert_array_equal(x, y)

  def edit(self, **changes):
    path = self.folder / "policy.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


class NetworkTest(_Folder):
  @parameterized.parameters(
    {"torso": "gru", "separate_critic": True},
    {"heads": "q", "dtype": jnp.float32},
  )
  def test_comes_back(self, **options):
    policy = _network(**options)
    saved.save(self.folder / "a" / "b", policy, game="kuhn_poker")
    self.assert_same(saved.load(self.folder / "a" / "b"), policy)
    header = json.loads((self.folder / "a" / "b" / "policy.json").read_text())
    self.assertEqual(header["architecture"], policy.architecture.to_json())
    self.assertEqual(header["versions"]["jax"], jax.__version__)
    self.assertEqual(saved.game_of(self.folder / "a" / "b"), "kuhn_poker")
    self.assertEqual(saved.kind_of(self.folder / "a" / "b"), "network")

  def test_dtype_can_be_asked_for(self):
    saved.save(self.folder, _network(), game="kuhn_poker")
    found = saved.load(self.folder, dtype=jnp.float32)
    self.assertEqual(found.dtype, jnp.float32)

  def test_replaces_what_was_saved_and_nothing_else(self):
    (self.folder / "trace.jsonl").write_text("{}")
    saved.save(self.folder, _network(0), game="kuhn_poker")
    saved.save(self.folder, _network(1), game="kuhn_poker")
    self.assert_same(saved.load(self.folder), _network(1))
    self.assertLen(list(self.folder.iterdir()), 3)

  @parameterized.parameters("write", "replace")
  def test_a_failure_leaves_what_was_there(self, where):
    saved.save(self.folder, _network(0), game="kuhn_poker")
    before = sorted(self.folder.rglob("*"))
    target = (
      mock.patch.object(saved_arrays, "write", side_effect=OSError("full"))
      if where == "write"
      else mock.patch.object(os, "replace", side_effect=OSError("full"))
    )
    with target, self.assertRaisesRegex(OSError, "full"):
      saved.save(self.folder, _network(1), game="kuhn_poker")
    self.assertEqual(sorted(self.folder.rglob("*")), before)
    self.assert_same(saved.load(self.folder), _network(0))

  @pytest.mark.slow
  def test_says_nothing_and_loads_without_orbax_until_asked(self):
    saved.save(self.folder, _network(), game="kuhn_poker")
    script = (
      "import sys\nfrom mdrl.policies import saved\n"
      "print('orbax' in sys.modules, 'pyspiel' in sys.modules)\n"
      f"policy = saved.load({str(self.folder)!r})\n"
      f"saved.save({str(self.folder)!r}, policy, game='kuhn_poker')\n"
    )
    result = subprocess.run(
      [sys.executable, "-W", "error", "-c", script],
      cwd=source_tree.ROOT,
      capture_output=True,
      text=True,
      check=True,
    )
    self.assertEqual(result.stdout + result.stderr, "False False\n")


class TableTest(_Folder):
  @parameterized.parameters("kuhn", "general_sum")
  def test_comes_back(self, name):
    policy, _, index, _ = _table(name)
    saved.save(self.folder, policy, game=games.TREES[name], index=index)
    self.assert_same(saved.load(self.folder), policy)
    self.assert_same(saved.load(self.folder, index=index), policy)

  def test_rows_are_found_by_name(self):
    policy, _, index, _ = _table()
    arrays = saved.named_rows.pack(policy, index)
    rows = saved.named_rows.unpack("kuhn_poker", arrays)
    order = np.random.default_rng(0).permutation(len(rows.infostate))
    shuffled = rows._replace(
      player=rows.player[order],
      infostate=[rows.infostate[k] for k in order],
      logits=rows.logits[order],
    )
    self.assert_same(saved.named_rows.to_table(shuffled, index, None), policy)

  @parameterized.parameters("policy.npz", "")
  def test_results_of_solvers_are_tables(self, name):
    policies = _write_npz(self.folder / "policy.npz", "kuhn_poker()", "kuhn")
    found = saved.load(self.folder / name, game="kuhn_poker")
    _, _, _, everywhere = _table()
    for ours, theirs in zip(
      evaluation.to_policies(found, everywhere), policies, strict=True
    ):
      np.testing.assert_allclose(ours[1:], theirs[1:], atol=1e-15)
    self.assertEqual(saved.game_of(self.folder), "kuhn_poker()")
    self.assertEqual(saved.kind_of(self.folder), "table")

  def test_what_stands_at_illegal_actions_is_not_kept(self):
    policy, _, index, everywhere = _table("goofspiel")
    legal = np.concatenate([own.legal for own in everywhere.players])
    noisy = policy.logits + jnp.where(legal, 0.0, jnp.inf)
    noisy = jnp.where(jnp.isnan(noisy), 3.0, noisy)
    saved.save(
      self.folder,
      table.TablePolicy(logits=noisy, first_row=policy.first_row),
      game="x",
      index=index,
    )
    self.assert_same(saved.load(self.folder, index=index), policy)


class RefusedTest(_Folder):
  def check(self, message, **options):
    with self.assertRaisesRegex(ValueError, message) as caught:
      saved.load(self.folder, **options)
    self.assertLess(len(str(caught.exception)), 700)

  def test_missing(self):
    self.check("`path` must be a folder with policy.json or policy.npz")
    with self.assertRaisesRegex(ValueError, "`path` must be a folder with"):
      saved.load(self.folder / "none")
    (self.folder / "a.txt").write_text("hello")
    with self.assertRaisesRegex(ValueError, "`path` must be a folder with"):
      saved.load(self.folder / "a.txt")

  @parameterized.parameters(
    ("", "it is no JSON"),
    ("[]", "it is JSON of something else"),
    ('{"a": 1}', "it is JSON of something else"),
    ('{"format": 1, "kind": "network"}', "its `game` is missing"),
    ('{"format": 7, "versions": {"mdrl": "9.1"}}', "format 7, of mdrl 9.1"),
  )
  def test_other_headers(self, text, message):
    (self.folder / "policy.json").write_text(text)
    self.check(message)

  def test_changed_headers(self):
    saved.save(self.folder, _network(), game="kuhn_poker")
    saved_header = (self.folder / "policy.json").read_text()
    fields = json.loads(saved_header)["architecture"]
    for changes, message in (
      ({"kind": "tree"}, "its `kind` is 'tree'"),
      ({"parameters": "../../x"}, "its `parameters` are '../../x'"),
      ({"parameters": "parameters-00000000"}, "00000000 is missing"),
      ({"digest": "0"}, "is damaged, or of another"),
      ({"architecture": {}}, "`fields` must be"),
      ({"architecture": fields | {"width": 5}}, "of other shapes"),
      ({"kind": "table"}, "not those of a table"),
    ):
      self.edit(**changes)
      self.check(message)
      (self.folder / "policy.json").write_text(saved_header)

  def test_damaged_parameters(self):
    saved.save(self.folder, _network(), game="kuhn_poker")
    (arrays,) = self.folder.glob("parameters-*")
    files = [path for path in arrays.rglob("*") if path.is_file()]
    self.assertNotEmpty(files)
    for path in files:
      content = path.read_bytes()
      for damaged in (content[:-9], content + b"?", content[::-1] + b"\n"):
        if damaged != content:
          path.write_bytes(damaged)
          self.check("parameters-.* is damaged")
      path.write_bytes(content)
    self.assert_same(saved.load(self.folder), _network())

  def test_other_games(self):
    saved.save(self.folder, _network(), game="kuhn_poker")
    self.assert_same(saved.load(self.folder, game="kuhn_poker()"), _network())
    self.check("a policy of leduc_poker, and .* of kuhn_p", game="leduc_poker")
    self.check("must be a policy of my_board", game="my_board")

  def test_tables_of_other_games(self):
    policy, _, index, _ = _table()
    saved.save(self.folder, policy, game="leduc_poker", index=index)
    self.check("another game than leduc_poker .* it lacks infostate")
    self.edit(game="no_such_game")
    self.check("`index` must be given .* cannot be compiled")
    rows = saved.named_rows.unpack(
      "kuhn_poker", saved.named_rows.pack(policy, index)
    )
    wider = np.pad(rows.logits, ((0, 0), (0, 1)))
    with self.assertRaisesRegex(ValueError, "other actions are legal"):
      saved.named_rows.to_table(rows._replace(logits=wider), index, None)

  def test_damaged_results_of_solvers(self):
    path = self.folder / "policy.npz"
    _write_npz(path, "kuhn_poker()", "kuhn")
    content = path.read_bytes()
    for damaged in (
      b"",
      b"hello",
      content[:-100],
      content[: len(content) // 2],
    ):
      path.write_bytes(damaged)
      self.check("`path` must be a policy.npz as `solve_game` writes it")
    np.savez(path, a=np.zeros(2))
    self.check("`path` must be a policy.npz as `solve_game` writes it")

  def test_what_cannot_be_saved(self):
    policy = _table()[0]
    with self.assertRaisesRegex(ValueError, "`index` must be given for a tab"):
      saved.save(self.folder, policy, game="kuhn_poker")
    _, leduc = games.compiled("leduc", histories=True)
    with self.assertRaisesRegex(ValueError, "`policy` must be a table of"):
      saved.save(self.folder, policy, game="kuhn_poker", index=leduc)
    batch = jax.tree.map(lambda x: jnp.stack([x, x]), _network())
    with self.assertRaisesRegex(ValueError, "one network .* one by one"):
      saved.save(self.folder, batch, game="kuhn_poker")
    self.assertEmpty(list(self.folder.iterdir()))


if __name__ == "__main__":
  absltest.main()
