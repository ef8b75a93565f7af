"""Tests of what the binaries of judges share."""

import pathlib
import tempfile

from absl.testing import absltest, parameterized

from experiments.judging import flags_of_judges


class DefaultOutTest(parameterized.TestCase):
  @parameterized.parameters(
    (None, ["uniform"], "exploit_kuhn_poker_uniform"),
    ("leduc_poker", ["uniform"], "exploit_leduc_poker_uniform"),
    # The game is that of the policy, which says itself where it is from.
    (None, ["runs/a/policy.npz"], "exploit_a"),
    (None, ["runs/b/policy.npz"], "exploit_b"),
    ("leduc_poker", ["runs/b"], "exploit_leduc_poker_b"),
    (None, ["runs/a", "uniform"], "exploit_a_uniform"),
  )
  def test_names_what_is_judged(self, game, names, expected):
    found = flags_of_judges.default_out("exploit", game, names)
    self.assertEqual(found, pathlib.Path("runs") / expected)


class PoliciesTest(absltest.TestCase):
  def test_one_policy_has_many_names(self):
    with tempfile.TemporaryDirectory() as folder:
      path = pathlib.Path(folder) / "a"
      path.mkdir()
      (path / "policy.npz").touch()
      for other in (f"{path}/", str(path / "policy.npz"), f"{path}/../a"):
        with self.assertRaisesRegex(ValueError, "name each policy once"):
          flags_of_judges.policies("policies", [str(path), other])
      names = [str(path), "uniform"]
      self.assertEqual(flags_of_judges.policies("policies", names), names)


if __name__ == "__main__":
  absltest.main()
