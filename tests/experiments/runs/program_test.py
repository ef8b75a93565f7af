"""Tests of binaries as processes: help, mistakes and pipes."""

import os
import pathlib
import signal
import subprocess
import sys
import textwrap

from absl.testing import absltest, parameterized

from tests import source_tree

_BINARIES = (
  "experiments.compare_solvers",
  "experiments.preference_league",
  "experiments.solve_game",
  "experiments.solve_preference",
  "experiments.sweep_game",
  "benchmarks.solvers",
)


def _run(module, *arguments, **options):
  return subprocess.run(
    [sys.executable, "-m", module, *arguments],
    cwd=source_tree.ROOT,
    stdout=options.get("stdout", subprocess.PIPE),
    stderr=subprocess.PIPE,
    text=True,
    timeout=60,
    check=False,
  )


def _run_command(module, *arguments):
  """Runs what an installed command does."""
  name = f"mdrl-{module.rpartition('.')[2].replace('_', '-')}"
  code = (
    f"import sys; sys.argv = {['/bin/' + name, *arguments]!r}; "
    f"from {module} import run; run()"
  )
  return subprocess.run(
    [sys.executable, "-c", code],
    cwd=source_tree.ROOT,
    capture_output=True,
    text=True,
    timeout=60,
    check=False,
  )


class HelpTest(parameterized.TestCase):
  @parameterized.parameters(*_BINARIES)
  def test_help_is_no_failure(self, module):
    short, long = _run(module, "-h"), _run(module, "--help")
    self.assertEqual((short.returncode, short.stderr), (0, ""))
    self.assertEqual(short.stdout, long.stdout)
    self.assertEqual(long.returncode, 0)
    self.assertIn(f"python -m {module}", short.stdout)
    own = "--cache_dir" if module.startswith("experiments") else "--json"
    self.assertIn(f"  {own}: ", short.stdout)
    self.assertNotIn("--pdb", short.stdout)

  def test_full_help_has_the_flags_of_absl(self):
    result = _run("experiments.sweep_game", "--helpfull")
    self.assertEqual(result.returncode, 0)
    self.assertIn("--[no]pdb", result.stdout)

  @parameterized.parameters("solve_game", "sweep_game", "preference_league")
  def test_an_installed_command_has_the_same_flags(self, name):
    module = f"experiments.{name}"
    ours = _run_command(module, "-h")
    self.assertEqual((ours.returncode, ours.stderr), (0, ""))
    self.assertIn(f"mdrl-{name.replace('_', '-')}", ours.stdout)
    self.assertNotIn("python -m", ours.stdout)
    flags = [
      [line for line in text.splitlines() if line.startswith("  --")]
      for text in (ours.stdout, _run(module, "-h").stdout)
    ]
    self.assertEqual(*flags)


class MistakeTest(parameterized.TestCase):
  @parameterized.product(
    module=_BINARIES,
    case=(
      ("--no_such_flag=1", "Unknown command line flag 'no_such_flag'"),
      ("kuhn_poker", "unexpected arguments: kuhn_poker"),
      ("--flagfile=/nowhere", "Unable to open flagfile"),
    ),
  )
  def test_is_one_line(self, module, case):
    result = _run(module, case[0])
    name = module.rpartition(".")[2]
    self.assertEqual((result.returncode, result.stdout), (1, ""))
    self.assertRegex(result.stderr, rf"^{name}: .*{case[1]}.*\n$")


class PipeTest(parameterized.TestCase):
  @parameterized.parameters(
    ("solve_game", "--list_solvers"),
    ("solve_game", "--help"),
    ("solve_preference", "--list_games"),
  )
  def test_a_reader_that_goes_away_is_no_error(self, name, flag):
    reader, writer = _closed_pipe()
    with writer:
      result = _run(f"experiments.{name}", flag, stdout=writer)
    self.assertEqual((result.returncode, result.stderr), (141, ""))
    self.assertTrue(reader.closed)


class InterruptTest(absltest.TestCase):
  def test_a_signal_after_the_end_is_no_traceback(self):
    code = textwrap.dedent("""
        import atexit, os, signal
        from absl import flags
        from experiments.runs import program

        atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))
        main = lambda argv: print("done")
        program.run("experiments.x", "", main, flags.FLAGS)
        """)
    result = subprocess.run(
      [sys.executable, "-c", code],
      cwd=source_tree.ROOT,
      capture_output=True,
      text=True,
    )
    self.assertEqual(result.returncode, -signal.SIGINT)
    self.assertEqual((result.stdout, result.stderr), ("done\n", ""))


class StreamsTest(parameterized.TestCase):
  def _shell(self, command):
    return subprocess.run(
      ["sh", "-c", f"{sys.executable} -m experiments.{command}"],
      cwd=source_tree.ROOT,
      capture_output=True,
      text=True,
      timeout=60,
      check=False,
    )

  @parameterized.parameters(
    "solve_game --list_solvers", "solve_preference --help"
  )
  def test_a_full_disk_is_one_line(self, command):
    if not pathlib.Path("/dev/full").exists():
      self.skipTest("There is no /dev/full.")
    result = self._shell(f"{command} > /dev/full")
    self.assertEqual(result.returncode, 1)
    self.assertRegex(result.stderr, "^solve_.*: cannot write to stdout: .*\n$")

  def test_streams_may_be_closed(self):
    for closed in (">&-", "2>&-"):
      result = self._shell(f"solve_game --list_solvers {closed}")
      self.assertEqual((result.returncode, result.stderr), (0, ""))

  @parameterized.parameters(("sys.exit(3)", 3), ("print('done')", 0))
  def test_no_process_waits_for_a_compiler(self, last, status):
    # A thread like those that compile faster programs, which takes long.
    code = f"""
      import sys, threading, time
      from experiments.runs import program
      from mdrl import tiers

      def main(argv):
        threading.Thread(
          target=time.sleep, args=(600,), name=tiers._BACKGROUND
        ).start()
        assert tiers.is_compiling()
        print('said')
        {last}

      program.run('experiments.any', None, main, program.parse)
    """
    result = subprocess.run(
      [sys.executable, "-c", textwrap.dedent(code)],
      cwd=source_tree.ROOT,
      capture_output=True,
      text=True,
      timeout=60,
      check=False,
    )
    self.assertEqual((result.returncode, result.stderr), (status, ""))
    self.assertStartsWith(result.stdout, "said\n")

  def test_what_a_stream_cannot_show_is_spelled(self):
    code = (
      "import sys; from experiments.runs import program; "
      r"program._open_streams(); print('\u03b7\udcff')"
    )
    result = subprocess.run(
      [sys.executable, "-c", code],
      cwd=source_tree.ROOT,
      capture_output=True,
      text=True,
      check=False,
      env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    self.assertEqual(result.stdout, "\\u03b7\\udcff\n")


def _closed_pipe():
  reading, writing = os.pipe()
  reader, writer = os.fdopen(reading, "rb"), os.fdopen(writing, "wb")
  reader.close()
  return reader, writer


if __name__ == "__main__":
  absltest.main()
