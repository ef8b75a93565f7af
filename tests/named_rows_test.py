"""Tests that rows of conformance tables are found by their names."""

from absl.testing import absltest, parameterized

from tests import named_rows
from tests.evaluation import queries_test
from tests.operators import conformance_test as operators
from tests.solvers import conformance_test as solvers
from tests.solvers import preference_conformance_test as preferences


class NamedRowsTest(parameterized.TestCase):
  def test_names_are_the_values(self):
    self.assertEqual(
      named_rows.named(["cfr"], ("kuhn", "leduc")),
      (("cfr_kuhn", "cfr", "kuhn"), ("cfr_leduc", "cfr", "leduc")),
    )

  @parameterized.named_parameters(
    ("solvers", solvers.ConformanceTest, solvers.SOLVERS | solvers.SAMPLED),
    ("preferences", preferences.ConformanceTest, preferences.ALL),
    ("queries", queries_test.QueriesTest, preferences.ALL),
    ("operators", operators.ConformanceTest, operators.METHODS),
  )
  def test_every_row_has_a_test_of_its_name(self, test_class, table):
    tests = [name for name in dir(test_class) if name.startswith("test_")]
    for row in table:
      self.assertTrue([name for name in tests if f"_{row}" in name], row)


if __name__ == "__main__":
  absltest.main()
