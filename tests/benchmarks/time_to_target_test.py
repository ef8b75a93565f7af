"""Tests of what a race counts, with clocks that the tests move."""

import contextlib
import io
import json
from unittest import mock

from absl.testing import absltest

from benchmarks import time_to_target


class _World:
  """A solver whose updates take two CPU seconds and three of wall time."""

  def __init__(self, gap):
    self.cpu = self.wall = 0.0
    self.updates = 0
    self.looks: list[int] = []
    self._gap = gap

  def advance(self, count):
    self.updates += count
    self.cpu += 2 * count
    self.wall += 3 * count

  def exploitability(self):
    self.looks.append(self.updates)
    self.cpu += 1000
    self.wall += 1000
    return self._gap(self.updates)

  def chase(self, budget=1e9, **fields):
    racer = time_to_target.Racer(self.advance, self.exploitability, **fields)
    self.advance(1)
    with (
      mock.patch.object(
        time_to_target, "cpu_seconds", side_effect=lambda: self.cpu
      ),
      mock.patch.object(
        time_to_target.time, "time", side_effect=lambda: 100 + self.wall
      ),
    ):
      return time_to_target.chase(racer, 100.0, budget)


class ChaseTest(absltest.TestCase):
  def test_evaluations_do_not_count(self):
    world = _World(lambda n: 0.05 / n)
    found = world.chase()
    self.assertEqual(found["updates_to_0.01"], 5)
    self.assertEqual(found["cpu_seconds_to_0.01"], 10)
    self.assertEqual(found["wall_seconds_to_0.01"], 15)
    last = found["updates_to_0.001"]
    self.assertBetween(last, 50, 60)
    self.assertEqual(found["cpu_seconds_to_0.001"], 2 * last)
    self.assertEqual(found["least_exploitability"], 0.05 / last)
    self.assertEqual(world.updates, last)
    self.assertEqual(world.looks[:6], [1, 2, 3, 4, 5, 6])

  def test_the_budget_ends_it(self):
    found = _World(lambda n: 1.0).chase(budget=2500)
    self.assertEqual(found, {"least_exploitability": 1.0})

  def test_it_ends_where_nothing_moves(self):
    world = _World(lambda n: max(0.005, 1 / n))
    found = world.chase()
    self.assertIn("updates_to_0.01", found)
    self.assertNotIn("updates_to_0.001", found)
    self.assertBetween(world.updates, 1000, 3000)

  def test_it_waits_for_a_slow_start(self):
    found = _World(lambda n: 1.0 if n < 900 else 1e-4).chase()
    self.assertIn("updates_to_0.001", found)

  def test_no_number_is_no_exploitability(self):
    self.assertEqual(_World(lambda n: float("nan")).chase(budget=2500), {})

  def test_a_solution_is_looked_at_once(self):
    world = _World(lambda n: 0.5)
    world.chase(iterates=False)
    self.assertEqual(world.looks, [1])


class MainTest(absltest.TestCase):
  def _main(self, prepare, *argv):
    given = time_to_target.parser("A race.", ["cfr_plus"]).parse_args(
      ["--game=g", "--solver=cfr_plus", "--seconds=0.001", *argv]
    )
    with (
      contextlib.redirect_stdout(io.StringIO()) as stdout,
      contextlib.redirect_stderr(io.StringIO()),
    ):
      time_to_target.main(prepare, given)
    return json.loads(stdout.getvalue())

  def test_figures(self):
    racer = time_to_target.Racer(
      lambda count: sum(range(100 * count)),
      lambda: 0.0,
      compiles=True,
      facts={"histories": 7},
    )

    def build():
      print("a banner")
      return racer

    found = self._main(lambda: build)
    self.assertEqual(found["histories"], 7)
    self.assertGreater(found["updates_per_cpu_second"], 0)
    self.assertGreater(found["updates_per_wall_second"], 0)
    self.assertEqual(found["updates_to_0.001"], 1)
    self.assertGreater(found["peak_megabytes"], 1)
    self.assertGreaterEqual(found["compile_wall_seconds"], 0)
    started = self._main(lambda: build, "--start_only")
    self.assertEqual(
      set(started),
      {
        "build_cpu_seconds",
        "build_wall_seconds",
        "compile_cpu_seconds",
        "compile_wall_seconds",
        "histories",
        "peak_megabytes",
      },
    )

  def test_errors_take_one_line(self):
    def prepare():
      raise ImportError("no\nsuch library")

    with self.assertRaises(SystemExit) as raised:
      self._main(prepare)
    self.assertEqual(raised.exception.code, "no such library")


if __name__ == "__main__":
  absltest.main()
