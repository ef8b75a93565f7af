"""Tests that rows are on disk at once, and damaged ones are not dropped."""

import pathlib
import tempfile
from unittest import mock

from absl.testing import absltest, parameterized

from experiments.runs import trace as trace_lib


class TraceTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    folder = self.enterContext(tempfile.TemporaryDirectory())
    self.path = pathlib.Path(folder) / "trace.jsonl"

  def _trace(self, rows=()):
    made = trace_lib.Trace(self.path, rows)
    self.addCleanup(made.close)
    return made

  def test_no_file_has_no_rows(self):
    self.assertEqual(trace_lib.read(self.path), [])

  def test_each_row_is_on_disk_at_once(self):
    made = self._trace()
    for step in range(3):
      made.add([{"step": step}])
      self.assertLen(trace_lib.read(self.path), step + 1)
    self.assertEqual(made.rows, trace_lib.read(self.path))

  def test_starts_over_with_rows_of_before(self):
    self.path.write_text('{"step": 0}\n{"step": 4}\n{"st')
    made = self._trace([{"step": 0}])
    made.add([{"step": 5}, {"step": 6}])
    self.assertEqual(
      self.path.read_text(), '{"step": 0}\n{"step": 5}\n{"step": 6}\n'
    )

  def test_rows_in_another_order(self):
    made = self._trace([{"step": 1}, {"step": 0}])
    made.arrange(made.rows[::-1])
    made.add([{"step": 2}])
    self.assertEqual(
      [row["step"] for row in trace_lib.read(self.path)], [0, 1, 2]
    )

  def test_a_torn_last_line_is_dropped(self):
    for torn in (b'{"st', b'{"step": 5}', b"\xff", b"\xe2\x82"):
      self.path.write_bytes(b'{"step": 4}\n' + torn)
      self.assertEqual(trace_lib.read(self.path), [{"step": 4}])

  @parameterized.parameters(
    b'{"st',
    b"",
    b"null",
    b"[]",
    b"3",
    b"{}",
    b'{"step": "4"}',
    b'{"step": -1}',
    b'{"step": true}',
    b'{"step": 1.5}',
    b"\xff\xfe",
    b'{"step": 1} {"step": 2}',
    b"\x00",
    b"[" * 100_000,
    b'{"step": 1e999}',
  )
  def test_damage_in_another_line_is_named(self, line):
    for lines in ((line, b'{"step": 9}'), (b'{"step": 0}', line)):
      self.path.write_bytes(b"".join(part + b"\n" for part in lines))
      number = 1 + lines.index(line)
      with self.assertRaisesRegex(
        ValueError,
        rf"line {number} of .*trace.jsonl is damaged.*--overwrite",
      ) as raised:
        trace_lib.read(self.path)
      self.assertLess(len(str(raised.exception)), 400)

  def test_what_cannot_be_read(self):
    self.path.mkdir()
    with self.assertRaisesRegex(ValueError, "cannot be read: it is no file"):
      trace_lib.read(self.path)

  def test_a_row_that_does_not_fit_leaves_no_part(self):
    made = self._trace([{"step": 0}])
    file = made._file
    made._file = mock.Mock(wraps=file)
    made._file.write.side_effect = [
      file.write(b'{"s'),
      OSError(27, "File too large"),
    ]
    made._file.seek.return_value = len(trace_lib.line({"step": 0}))
    with self.assertRaisesRegex(ValueError, "trace.jsonl.*File too large"):
      made.add([{"step": 1}])
    self.assertEqual(made.rows, [{"step": 0}])
    self.assertEqual(self.path.read_text(), '{"step": 0}\n')

  def test_rows_are_told_by_their_labels(self):
    row = {"solver": "cfr", "game": None, "step": 1}
    self.assertTrue(trace_lib.matches(row, {}))
    self.assertTrue(trace_lib.matches(row, {"solver": "cfr", "game": None}))
    self.assertFalse(trace_lib.matches(row, {"solver": "cfr_plus"}))
    self.assertFalse(trace_lib.matches(row, {"temperature": None}))


if __name__ == "__main__":
  absltest.main()
