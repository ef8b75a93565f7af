"""Tests of compiled trees on disk."""

import importlib.metadata
import os
import pathlib
import resource
import tempfile
from unittest import mock
import warnings

from absl.testing import absltest, parameterized
import jax
import numpy as np
import pyspiel

from mdrl.compile import cache, efg_tree, openspiel
from mdrl.games import tree_tables


def _tables():
  """Returns tables in which no two arrays are alike, and some are empty."""
  return tree_tables.TreeTables(
    infostates=(("été\n日本", "", "a,b;\0"), (), ("x" * 300,)),
    parent=(np.array([0, 1, 1]), np.zeros(0, int), np.array([0])),
    width=(np.array([2, 1, 3]), np.zeros(0, int), np.array([2])),
    action=(np.arange(6) ** 2, np.zeros(0, int), np.array([7, 9])),
    sequence=np.arange(12, dtype=np.int32).reshape(4, 3),
    chance=np.array([0.1, 1 / 3, 0, 1]),
    chance_parent=np.array([0, 2]),
    chance_width=np.array([2, 3]),
    chance_probability=np.array([0.1, 0.9, 1 / 7, 2 / 7, 4 / 7]),
    chance_sequence=np.array([5, 4, 1, 3], np.int32),
    utility=np.linspace(-1, 1, 12).reshape(4, 3) ** 3,
    num_histories=2**40,
    labels=(("l", "", "é\n", "l", "x", "y"), (), ("日本", "r")),
    histories=tree_tables.Histories(
      player=np.array([-1, 0, 2, -4, 1], np.int16),
      row=np.array([0, 2, 7, 3, 1], np.int32),
      chance_action=np.array([4, 2**40]),
      features=(
        np.arange(6, dtype=np.uint8).reshape(3, 2),
        np.zeros((0, 0), "f"),
        np.linspace(-1, 1, 4, dtype="f").reshape(1, 4) ** 3,
      ),
      features_kind="own_sequence",
    ),
  )


def _text(utility):
  return f"""EFG 2 R "Two moves" {{ "A" "B" }}
p "" 1 1 "first" {{ "l" "r" }} 0
t "" 1 "" {{ {utility} 2 }}
t "" 2 "" {{ 3 4 }}
"""


class CacheTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    folder = self.enterContext(tempfile.TemporaryDirectory())
    self.folder = pathlib.Path(folder) / "made" / "when needed"

  def _assert_equal(self, actual, expected):
    self.assertEqual(actual._fields, expected._fields)
    self.assertEqual(actual.infostates, expected.infostates)
    self.assertEqual(actual.labels, expected.labels)
    self.assertEqual(actual.num_histories, expected.num_histories)
    self.assertIs(type(actual.num_histories), int)
    without = {"infostates": (), "labels": (), "num_histories": None}
    length = 3 * actual.num_players + 7
    kinds = [
      t.histories and t.histories.features_kind for t in (actual, expected)
    ]
    self.assertEqual(*kinds)
    ours, theirs = (
      [
        leaf
        for leaf in jax.tree.leaves(t._replace(**without))
        if leaf is not kind
      ]
      for t, kind in zip((actual, expected), kinds, strict=True)
    )
    if expected.histories is not None:
      length += 3 + actual.num_players
    self.assertLen(ours, length)
    for a, b in zip(ours, theirs, strict=True):
      self.assertEqual(a.dtype, b.dtype)
      np.testing.assert_array_equal(a, b)

  def _warns(self, reason=""):
    return self.assertWarnsRegex(
      UserWarning,
      f"^`cache_dir` must hold trees as they were written, .*{reason} in .*made"
      ".*name.npz: ",
    )

  def test_load_returns_what_save_was_given(self):
    cache.save(self.folder, "name", _tables())
    self._assert_equal(cache.load(self.folder, "name"), _tables())

  def test_an_enumerated_game(self):
    tables = openspiel.enumerate_tree(openspiel.load_game("kuhn_poker"))
    cache.save(str(self.folder), "kuhn", tables)
    self._assert_equal(cache.load(str(self.folder), "kuhn"), tables)

  @parameterized.parameters(
    "kuhn_poker", "pig(horizon=4,winscore=3,diceoutcomes=2)"
  )
  def test_the_record_of_an_enumerated_game(self, name):
    tables = openspiel.enumerate_tree(openspiel.load_game(name), histories=True)
    cache.save(self.folder, "game", tables)
    self._assert_equal(cache.load(self.folder, "game"), tables)
    self._assert_equal(
      cache.load(self.folder, "game", histories=False),
      tables._replace(histories=None),
    )

  def test_nothing_is_stored_under_other_names(self):
    self.assertIsNone(cache.load(self.folder, "name"))
    cache.save(self.folder, "name", _tables())
    self.assertIsNone(cache.load(self.folder, "other"))

  def test_save_leaves_one_file_and_replaces_it(self):
    cache.save(self.folder, "name", _tables()._replace(num_histories=1))
    cache.save(self.folder, "name", _tables())
    self.assertEqual([p.name for p in self.folder.iterdir()], ["name.npz"])
    self._assert_equal(cache.load(self.folder, "name"), _tables())

  def test_truncated_files_are_not_read(self):
    cache.save(self.folder, "name", _tables())
    path = self.folder / "name.npz"
    content = path.read_bytes()
    for size in range(0, len(content), 41):
      path.write_bytes(content[:size])
      with self._warns():
        self.assertIsNone(cache.load(self.folder, "name"))

  def test_damaged_files_are_not_read(self):
    cache.save(self.folder, "name", _tables())
    path = self.folder / "name.npz"
    content = path.read_bytes()
    # All of the first array, and of its record in the directory at the end.
    directory = content.index(b"PK\1\2")
    unread = 0
    for at in (*range(250), *range(directory, directory + 60)):
      damaged = bytearray(content)
      damaged[at] ^= 9
      path.write_bytes(damaged)
      with warnings.catch_warnings(record=True, action="always") as caught:
        tables = cache.load(self.folder, "name")
      self.assertLen(caught, int(tables is None))
      if tables is None:
        unread += 1
      else:
        # What was hit says nothing, such as a date.
        self._assert_equal(tables, _tables())
    self.assertGreater(unread, 100)

  def test_other_files_are_not_read(self):
    self.folder.mkdir(parents=True)
    path = self.folder / "name.npz"
    path.write_bytes(b"nonsense" * 100)
    with self._warns("BadZipFile"):
      self.assertIsNone(cache.load(self.folder, "name"))
    np.savez(path, sequence=np.zeros((1, 2)))
    with self._warns("KeyError"):
      self.assertIsNone(cache.load(self.folder, "name"))
    with path.open("wb") as file:
      np.save(file, np.zeros(3))
    with self._warns("BadZipFile"):
      self.assertIsNone(cache.load(self.folder, "name"))

  def test_files_of_an_older_layout_are_not_read(self):
    cache.save(self.folder, "name", _tables())
    path = self.folder / "name.npz"
    with np.load(path) as file:
      arrays = {name: file[name] for name in file.files if name != "recorded"}
    np.savez(path, **arrays)
    with self._warns("KeyError"):
      self.assertIsNone(cache.load(self.folder, "name"))
    with mock.patch.object(cache, "_SCHEMA", 3):
      older = cache.key("kuhn_poker()")
    self.assertNotEqual(cache.key("kuhn_poker()"), older)

  def test_mistakes_of_ours_are_not_taken_for_damage(self):
    cache.save(self.folder, "name", _tables())
    with (
      mock.patch.object(cache, "_tables", side_effect=TypeError("ours")),
      self.assertRaisesRegex(TypeError, "ours"),
    ):
      cache.load(self.folder, "name")

  def test_what_a_killed_process_left_is_removed(self):
    self.folder.mkdir(parents=True)
    old, young, other, foreign = (
      self.folder / f"{name}.tmp"
      for name in ("name-old", "name-young", "other-old", "foreign")
    )
    for path in (old, young, other, foreign):
      path.write_bytes(b"half")
      if path is not young:
        os.utime(path, (0, 0))
    cache.save(self.folder, "name", _tables())
    self.assertCountEqual(
      [p.name for p in self.folder.iterdir()],
      ["name.npz", young.name, other.name, foreign.name],
    )

  def test_a_killed_process_leaves_a_file_that_is_known(self):
    def killed(file, **arrays):
      del arrays
      self.assertRegex(pathlib.Path(file.name).name, "^name-.*[.]tmp$")
      raise KeyboardInterrupt

    with (
      mock.patch.object(np, "savez", killed),
      self.assertRaises(KeyboardInterrupt),
    ):
      cache.save(self.folder, "name", _tables())
    self.assertEmpty(list(self.folder.iterdir()))

  def test_keys_change_with_what_they_are_of(self):
    keys = [
      cache.key("kuhn_poker()"),
      cache.key("kuhn_poker(players=3)"),
      cache.key("kuhn_poker()", b"content"),
      cache.key("kuhn_poker()", b"contents"),
      cache.key("kuhn_poker()", b"content", b"s"),
    ]
    with mock.patch.object(importlib.metadata, "version", return_value="0.0"):
      keys.append(cache.key("kuhn_poker()"))
    with mock.patch.object(cache, "_SCHEMA", cache._SCHEMA + 1):
      keys.append(cache.key("kuhn_poker()"))
    self.assertLen(set(keys), len(keys))
    self.assertEqual(keys[0], cache.key("kuhn_poker()"))
    for key in keys:
      self.assertRegex(key, "^[0-9a-f]{64}$")


class UnusableTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
    self.expected, _ = openspiel.compile_game("kuhn_poker")

  def _compile(self, folder, reason):
    with self.assertWarnsRegex(
      UserWarning,
      "^`cache_dir` must be a folder with room to write to, so this tree is "
      f"not kept for later runs: .*{reason}",
    ) as caught:
      game, _ = openspiel.compile_game("kuhn_poker", cache_dir=folder)
    self.assertLen(caught.warnings, 1)
    for a, b in zip(jax.tree.leaves(game), jax.tree.leaves(self.expected)):
      np.testing.assert_array_equal(a, b)

  def test_below_a_file(self):
    path = self.folder / "file"
    path.write_text("text")
    self._compile(path, "File exists")
    self._compile(path / "games", "Not a directory")
    self.assertEqual(path.read_text(), "text")

  def test_where_nothing_can_be_written(self):
    self._compile("/proc/self/games", "No such file")
    self._compile("a\0b", "null")

  def test_a_gambit_file(self):
    path = self.folder / "game.efg"
    path.write_text(_text(1))
    with self.assertWarnsRegex(UserWarning, "`cache_dir` must be a folder"):
      openspiel.compile_game(str(path), cache_dir=path)

  @parameterized.parameters(100, 3_000)
  def test_without_room(self, room):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
      self._compile(self.folder, "File too large")
    finally:
      resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    self.assertEmpty(list(self.folder.iterdir()))
    self.assertIsNotNone(
      openspiel.compile_game("kuhn_poker", cache_dir=self.folder)
    )
    self.assertLen(list(self.folder.iterdir()), 1)

  def test_a_folder_in_the_place_of_a_file(self):
    openspiel.compile_game("kuhn_poker", cache_dir=self.folder)
    (path,) = self.folder.iterdir()
    path.unlink()
    (path / "inside").mkdir(parents=True)
    self._compile(self.folder, "Is a directory")
    self.assertEqual(list(self.folder.iterdir()), [path])

  def test_an_interruption_leaves_nothing(self):
    with (
      mock.patch.object(np, "savez", side_effect=KeyboardInterrupt),
      self.assertRaises(KeyboardInterrupt),
    ):
      openspiel.compile_game("kuhn_poker", cache_dir=self.folder)
    self.assertEmpty(list(self.folder.iterdir()))

  def test_long_game_strings_are_no_files(self):
    name = "kuhn_poker(" + " " * 300 + "players=2)"
    key = openspiel._files(name), openspiel._files(f"a(filename={'x' * 300})")
    self.assertEqual(key, ([], []))


class CompileWithCacheTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
    self.cache = self.folder / "cache"
    self.enumerate = self.enterContext(
      mock.patch.object(
        openspiel, "enumerate_tree", wraps=openspiel.enumerate_tree
      )
    )

  def _compile(self, game, **kwargs):
    return openspiel.compile_game(game, cache_dir=self.cache, **kwargs)

  def _counted_reads(self):
    return mock.patch.object(efg_tree, "read", wraps=efg_tree.read)

  def _assert_equal_arrays(self, game, expected):
    self.assertEqual(jax.tree.structure(game), jax.tree.structure(expected))
    for a, b in zip(jax.tree.leaves(game), jax.tree.leaves(expected)):
      self.assertEqual(a.dtype, b.dtype)
      np.testing.assert_array_equal(a, b)

  def _utilities(self, game):
    """Returns the weights of the first player's payoffs."""
    compiled, _ = self._compile(game)
    weights = [w.ravel() for w in jax.tree.leaves(compiled.payoffs[0].weights)]
    return sorted(np.concatenate(weights).tolist())

  @parameterized.parameters(
    "kuhn_poker(players=3)", "goofspiel(num_cards=3,imp_info=True)"
  )
  def test_a_stored_game_is_the_compiled_one(self, name):
    expected, expected_index = openspiel.compile_game(name)
    for _ in range(2):
      game, index = self._compile(name)
      self._assert_equal_arrays(game, expected)
      for a, b in zip(index.players, expected_index.players, strict=True):
        self.assertEqual(a.infostates, b.infostates)
        np.testing.assert_array_equal(a.action, b.action)
        np.testing.assert_array_equal(a.actions_table(), b.actions_table())
    # Once without a cache, once to fill it.
    self.assertEqual(self.enumerate.call_count, 2)

  @parameterized.parameters("kuhn_poker(players=3)", "matrix_rps")
  def test_a_stored_game_has_its_moves_of_chance(self, name):
    expected, _ = openspiel.compile_game(name, chance=True)
    self.assertIsNotNone(expected.chance)
    # What is stored does not depend on what is asked for.
    self.assertIsNone(self._compile(name)[0].chance)
    self._assert_equal_arrays(self._compile(name, chance=True)[0], expected)
    self.assertEqual(self.enumerate.call_count, 2)

  @parameterized.parameters("kuhn_poker(players=3)", "matrix_rps")
  def test_a_stored_game_has_its_histories(self, name):
    expected, _ = openspiel.compile_game(name, histories=True)
    # A tree that is stored without its histories is read again, once.
    self.assertIsNone(self._compile(name)[0].histories)
    for _ in range(2):
      self._assert_equal_arrays(
        self._compile(name, histories=True)[0], expected
      )
    self.assertIsNone(self._compile(name)[0].histories)
    self.assertLen(list(self.cache.iterdir()), 1)
    self.assertEqual(self.enumerate.call_count, 3)

  @parameterized.parameters("efg", "nfg")
  def test_a_stored_file_has_its_histories(self, kind):
    path = self.folder / f"game.{kind}"
    text = {"efg": _text(1), "nfg": 'NFG 1 R "" { "A" } { 3 } 1 2 3'}[kind]
    path.write_text(text)
    expected, _ = openspiel.compile_game(str(path), histories=True)
    self.assertIsNone(self._compile(str(path))[0].histories)
    for _ in range(2):
      game, _ = self._compile(str(path), histories=True)
      self._assert_equal_arrays(game, expected)

  def test_games_are_stored_apart(self):
    for name in ("kuhn_poker", "kuhn_poker(players=3)", "matrix_rps"):
      self._compile(name)
    self.assertLen(list(self.cache.iterdir()), 3)
    self.assertEqual(self.enumerate.call_count, 3)

  def test_a_damaged_file_is_made_again(self):
    expected = self._utilities("kuhn_poker")
    (path,) = self.cache.iterdir()
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with self.assertWarnsRegex(UserWarning, "is read from the game again"):
      self.assertEqual(self._utilities("kuhn_poker"), expected)
    self.assertEqual(self.enumerate.call_count, 2)
    self.assertEqual(path.read_bytes(), content)

  def test_a_smaller_limit_refuses_a_stored_tree(self):
    self._compile("kuhn_poker")
    with self.assertRaisesRegex(ValueError, "`max_histories` is 57, and kuhn"):
      self._compile("kuhn_poker", max_histories=57)
    with self.assertRaisesRegex(ValueError, "`max_histories` must be positive"):
      self._compile("kuhn_poker", max_histories=0)
    self._compile("kuhn_poker", max_histories=58)
    self.assertEqual(self.enumerate.call_count, 2)

  def test_a_refused_tree_is_not_stored(self):
    with self.assertRaisesRegex(ValueError, "`max_histories`"):
      self._compile("kuhn_poker", max_histories=57)
    self.assertFalse(self.cache.exists())

  def test_a_changed_file_is_read_again(self):
    path = self.folder / "game.efg"
    with self._counted_reads() as read:
      path.write_text(_text(1))
      self.assertEqual(self._utilities(str(path)), [1, 3])
      path.write_text(_text(-5))
      self.assertEqual(self._utilities(str(path)), [-5, 3])
      self.assertEqual(self._utilities(str(path)), [-5, 3])
    self.assertEqual(read.call_count, 2)

  def test_a_file_is_known_by_its_content(self):
    text = _text(1)
    paths = [self.folder / "one.efg", self.folder / "two, three=4.efg"]
    with self._counted_reads() as read:
      for path in paths:
        path.write_text(text)
        self.assertEqual(self._utilities(str(path)), [1, 3])
        self.assertEqual(self._utilities(f"efg_game(filename={path})"), [1, 3])
    self.assertEqual(read.call_count, 1)
    self.assertLen(list(self.cache.iterdir()), 1)
    self.enumerate.assert_not_called()

  def test_a_stored_file_is_the_compiled_one(self):
    path = self.folder / "game.efg"
    path.write_text(_text(1))
    _, expected = openspiel.compile_game(str(path))
    for _ in range(2):
      _, index = self._compile(str(path))
      for a, b in zip(index.players, expected.players, strict=True):
        self.assertEqual(a.infostates, b.infostates)
        self.assertEqual(a.labels, b.labels)
    self.assertEqual(index[0].labels, ("", "l", "r"))

  def test_a_smaller_limit_refuses_a_stored_file(self):
    path = self.folder / "game.efg"
    path.write_text(_text(1))
    self._compile(str(path))
    with self.assertRaisesRegex(ValueError, "`max_histories` is 2, and .*efg"):
      self._compile(str(path), max_histories=2)
    with self.assertRaisesRegex(ValueError, "`max_histories` must be positive"):
      self._compile(str(path), max_histories=0)
    self._compile(str(path), max_histories=3)

  def test_a_file_is_read_where_nothing_can_be_stored(self):
    path = self.folder / "game.efg"
    path.write_text(_text(1))
    self.cache.write_text("no folder")
    with self.assertWarnsRegex(
      UserWarning, "`cache_dir` must be a folder.*not kept"
    ):
      self.assertEqual(self._utilities(str(path)), [1, 3])

  def test_a_refused_file_is_not_stored(self):
    path = self.folder / "game.efg"
    path.write_text(_text("x"))
    with self.assertRaisesRegex(ValueError, "line 3, column 13: expected"):
      self._compile(str(path))
    self.assertFalse(self.cache.exists())

  def test_a_changed_file_in_normal_form_is_read_again(self):
    path = self.folder / "game.nfg"
    for utility in (1, -5):
      path.write_text(f'NFG 1 R "g" {{ "A" "B" }} {{ 2 1 }} {utility} 2 3 4')
      for name in (str(path), f"nfg_game(filename={path})"):
        self.assertEqual(self._utilities(name), sorted([utility, 3]))
    self.assertLen(list(self.cache.iterdir()), 2)

  def test_a_changed_file_of_a_game_of_openspiel_is_read_again(self):
    path = self.folder / "instances.txt"
    name = f"bargaining(instances_file={path},max_turns=1)"
    for values in ("8,1,0 4,0,2", "4,3,0 8,1,0"):
      path.write_text(f"1,2,3 {values}\n")
      self._compile(name)
    self.assertLen(list(self.cache.iterdir()), 2)

  def test_files_of_equal_content_are_told_apart_from_changed_ones(self):
    for name, utility in (("a", 1), ("b", 1), ("c", -5)):
      path = self.folder / f"{name}.efg"
      path.write_text(_text(utility))
      self.assertEqual(self._utilities(str(path)), sorted([utility, 3]))

  def test_matrix_games_of_one_name_are_told_apart(self):
    for utility in (1, -5):
      game = pyspiel.create_matrix_game(
        "mine", "mine", ["a", "b"], ["c"], [[utility], [3]], [[2], [4]]
      )
      self.assertEqual(self._utilities(game), sorted([utility, 3]))

  def test_games_of_text_are_told_apart(self):
    for utility in (1, -5):
      game = pyspiel.load_efg_game(_text(utility))
      self.assertEqual(self._utilities(game), sorted([utility, 3]))


if __name__ == "__main__":
  absltest.main()
