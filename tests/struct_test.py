"""Tests of the pytree dataclasses, first of all that they are told apart."""

import dataclasses

from absl.testing import absltest
import jax
import jax.numpy as jnp
import numpy as np

from mdrl import struct

_NUM_CLASSES = 40


def _times(factor):
  """Makes a class whose instances differ from others by their code alone."""

  @struct.dataclass
  class Map:
    scale: jax.Array

    def __call__(self, x):
      return factor * self.scale * x

  return Map


@struct.dataclass
class Pair:
  first: jax.Array
  mode: str = struct.static(default="plain")
  second: jax.Array = struct.field(default_factory=lambda: jnp.zeros(2))


@struct.dataclass
class Checked:
  rate: float

  def __post_init__(self):
    if not self.rate > 0:
      raise ValueError("`rate` must be positive")


@struct.dataclass
class Child(Pair):
  third: jax.Array


class DistinctClassesTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    one = jnp.ones(())
    self.maps = [_times(k)(scale=one) for k in range(_NUM_CLASSES)]

  def test_treedefs_differ_and_hash_apart(self):
    treedefs = [jax.tree.structure(m) for m in self.maps]
    for k, treedef in enumerate(treedefs):
      for other in treedefs[:k]:
        self.assertNotEqual(treedef, other)
    self.assertLen({hash(t) for t in treedefs}, _NUM_CLASSES)
    self.assertLen(set(treedefs), _NUM_CLASSES)

  def test_jit_never_runs_the_program_of_another_class(self):
    call = jax.jit(lambda m, x: m(x))
    x = jnp.ones(())
    answers = [float(call(m, x)) for m in self.maps]
    self.assertEqual(answers, list(range(_NUM_CLASSES)))
    again = [float(call(m, x)) for m in reversed(self.maps)]
    self.assertEqual(again, answers[::-1])

  def test_trees_of_different_classes_do_not_match(self):
    with self.assertRaisesRegex(ValueError, "Map"):
      jax.tree.map(jnp.add, self.maps[0], self.maps[1])


class DataclassTest(absltest.TestCase):
  def test_leaves_are_the_fields_that_are_not_static(self):
    pair = Pair(first=jnp.arange(3.0), mode="odd")
    leaves, treedef = jax.tree.flatten(pair)
    self.assertLen(leaves, 2)
    back = treedef.unflatten(leaves)
    self.assertIsInstance(back, Pair)
    self.assertEqual(back.mode, "odd")
    np.testing.assert_array_equal(back.first, pair.first)
    np.testing.assert_array_equal(back.second, np.zeros(2))

  def test_static_fields_belong_to_the_treedef(self):
    first = jnp.zeros(3)
    plain, odd = Pair(first=first), Pair(first=first, mode="odd")
    other = Pair(first=first + 1, mode="odd")
    self.assertNotEqual(jax.tree.structure(plain), jax.tree.structure(odd))
    self.assertEqual(jax.tree.structure(other), jax.tree.structure(odd))

  def test_jit_traces_again_for_static_fields_only(self):
    modes = []

    @jax.jit
    def call(pair):
      modes.append(pair.mode)
      return pair.first

    for scale, mode in ((1, "a"), (2, "a"), (3, "b"), (4, "a")):
      first = jnp.full(2, scale, float)
      np.testing.assert_array_equal(call(Pair(first=first, mode=mode)), first)
    self.assertEqual(modes, ["a", "b"])

  def test_vmap_goes_over_the_leaves(self):
    pair = Pair(first=jnp.arange(3.0), second=jnp.ones((3, 2)))
    sums = jax.vmap(lambda p: p.first + jnp.sum(p.second))(pair)
    np.testing.assert_array_equal(sums, [2, 3, 4])

  def test_paths_name_the_fields(self):
    tree = {"x": [Pair(first=jnp.zeros(1))]}
    paths = [
      jax.tree_util.keystr(path)
      for path, _ in jax.tree_util.tree_leaves_with_path(tree)
    ]
    self.assertEqual(paths, ["['x'][0].first", "['x'][0].second"])

  def test_instances_are_frozen(self):
    pair = Pair(first=jnp.zeros(1))
    for name in ("first", "mode"):
      with self.assertRaises(dataclasses.FrozenInstanceError):
        setattr(pair, name, "other")

  def test_fields_are_given_by_name(self):
    with self.assertRaisesRegex(TypeError, "positional"):
      Pair(jnp.zeros(1))  # pyright: ignore[reportCallIssue]

  def test_values_are_checked_where_a_user_gives_them(self):
    with self.assertRaisesRegex(ValueError, "`rate` must be positive"):
      Checked(rate=-1.0)
    with self.assertRaisesRegex(ValueError, "`rate` must be positive"):
      struct.replace(Checked(rate=1.0), rate=-1.0)

  def test_values_are_not_checked_where_jax_rebuilds(self):
    treedef = jax.tree.structure(Checked(rate=1.0))
    self.assertEqual(treedef.unflatten([-1.0]).rate, -1.0)
    # Neither of these could pass the check.
    self.assertIsNone(treedef.unflatten([None]).rate)
    negated = jax.jit(lambda c: jax.tree.map(jnp.negative, c))(
      Checked(rate=2.0)
    )
    self.assertEqual(float(negated.rate), -2)

  def test_replace_leaves_the_original(self):
    pair = Pair(first=jnp.zeros(1))
    other = struct.replace(pair, first=jnp.ones(1), mode="odd")
    self.assertEqual((pair.mode, other.mode), ("plain", "odd"))
    np.testing.assert_array_equal(other.first, [1])
    np.testing.assert_array_equal(pair.first, [0])
    self.assertIs(other.second, pair.second)

  def test_defaults_are_made_for_each_instance(self):
    first, second = (Pair(first=jnp.zeros(1)) for _ in range(2))
    self.assertIsNot(first.second, second.second)

  def test_a_subclass_has_the_fields_of_its_parent(self):
    child = Child(first=jnp.zeros(1), mode="odd", third=jnp.ones(2))
    leaves, treedef = jax.tree.flatten(child)
    self.assertLen(leaves, 3)
    self.assertEqual(treedef.unflatten(leaves).mode, "odd")


class FunctionsTest(absltest.TestCase):
  def test_bare_functions_become_static(self):
    node = Pair(first=abs, second=jnp.ones(2))
    self.assertLen(jax.tree.leaves(node), 1)
    self.assertEqual(node.first(-3), 3)
    self.assertEqual(jax.jit(lambda n: n.first(-n.second[0]))(node), 1)
    self.assertEqual(
      jax.tree.structure(node),
      jax.tree.structure(struct.replace(node, second=jnp.zeros(2))),
    )
    other = Pair(first=len, second=jnp.ones(2))
    self.assertNotEqual(jax.tree.structure(node), jax.tree.structure(other))

  def test_subclasses_and_checks_see_them(self):
    self.assertLen(jax.tree.leaves(Child(first=abs, third=len)), 1)

    @struct.dataclass
    class Applied:
      rate: float

      def __post_init__(self):
        self.rate(1)

    self.assertEmpty(jax.tree.leaves(Applied(rate=abs)))

  def test_pytrees_that_can_be_called_keep_their_leaves(self):
    one = _times(2)(scale=jnp.ones(()))
    self.assertIs(struct.as_pytree(one), one)
    self.assertLen(jax.tree.leaves(Pair(first=one)), 2)

  def test_pytrees_without_fields_are_no_functions(self):
    @struct.dataclass
    class Zero:
      def __call__(self, step):
        return step * 0

    zero = Zero()
    self.assertIs(struct.as_pytree(zero), zero)
    self.assertIs(Pair(first=zero).first, zero)
    self.assertFalse(struct.is_leaf(zero))
    self.assertTrue(struct.is_leaf(len))

  def test_refuses_functions_that_cannot_be_hashed(self):
    class Unhashable:
      __hash__ = None

      def __call__(self, step):
        return step

    with self.assertRaisesRegex(ValueError, "functions must be hashable"):
      Pair(first=Unhashable())


if __name__ == "__main__":
  absltest.main()
