"""Tests of tables of win rates in files, good and bad."""

import io
import pathlib
import tempfile

from absl.testing import absltest, parameterized
import numpy as np

from mdrl.games import preference_game
from mdrl.preferences import files, models

_RATES = [[0.5, 0.7], [0.3, 0.5]]


def _bytes_of(save, *args, **kwargs):
  file = io.BytesIO()
  save(file, *args, **kwargs)
  return file.getvalue()


class FilesTest(parameterized.TestCase):
  def _folder(self):
    return pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

  def _file(self, name, content):
    path = self._folder() / name
    if isinstance(content, str):
      content = content.encode()
    path.write_bytes(content)
    return path

  def _load(self, name, content):
    return files.load(self._file(name, content))

  def _assert_refuses(self, message, name, content):
    path = self._file(name, content)
    with self.assertRaisesRegex(ValueError, message) as raised:
      files.load(path)
    self.assertIn(str(path), str(raised.exception))

  @parameterized.parameters(
    "0.5,0.7\n0.3,0.5\n",
    "0.5,0.7\n0.3,0.5",
    "0.5,0.7\r\n0.3,0.5\r\n",
    "\n 0.5 , 0.7\n\n0.3,0.5\n,\n\n",
    ",0.7\n0.3,\n",
    '"0.5","0.7"\n"3e-1",.5\n',
  )
  def test_csv_without_names(self, text):
    rates = self._load("rates.csv", text)
    np.testing.assert_array_equal(rates.preferences, _RATES)
    self.assertEqual(rates.preferences.dtype, np.float64)
    self.assertEqual(rates.names, ("0", "1"))

  @parameterized.parameters(
    "red,blue\n0.5,0.7\n0.3,0.5\n",
    "red,blue\n,0.7\n0.3,\n",
    ",red,blue\nred,0.5,0.7\nblue,0.3,0.5\n",
    ",red,blue\nred,,0.7\nblue,0.3,\n",
    "model,red,blue\nred,0.5,0.7\nblue,0.3,0.5\n",
    "red,blue\nred,0.5,0.7\nblue,0.3,0.5\n",
    "red,0.5,0.7\nblue,0.3,0.5\n",
    "red,,0.7\nblue,0.3,\n",
    ' red ,"blue"\n0.5,0.7\n0.3,0.5\n',
  )
  def test_csv_with_names(self, text):
    for mark in ("", "\ufeff"):
      rates = self._load("rates.csv", mark + text)
      np.testing.assert_array_equal(rates.preferences, _RATES)
      self.assertEqual(rates.names, ("red", "blue"))

  @parameterized.parameters(
    "50%,70%\n30%,50%\n",
    "red,blue\n,70 %\n30.0%,\n",
    "red,0.5,70%\nblue,30%,0.5\n",
  )
  def test_percent_signs(self, text):
    rates = self._load("rates.csv", text)
    np.testing.assert_allclose(rates.preferences, _RATES, rtol=1e-15)

  @parameterized.parameters("red,blue,red", "red,red,red")
  def test_names_are_different(self, names):
    rows = ",0.7,0.6\n0.3,,0.6\n0.4,0.4,\n"
    message = "name each response once, got red more than once"
    self._assert_refuses(message, "rates.csv", f"{names}\n{rows}")

  @parameterized.parameters(
    ("rates.CSV", b"0.5,0.7\n0.3,0.5"),
    ("rates.Npy", _bytes_of(np.save, _RATES)),
  )
  def test_endings_in_capitals(self, name, content):
    rates = self._load(name, content)
    np.testing.assert_array_equal(rates.preferences, _RATES)

  def test_a_mark_before_numbers(self):
    rates = self._load("rates.csv", b"\xef\xbb\xbf0.5,0.7\n0.3,0.5\n")
    np.testing.assert_array_equal(rates.preferences, _RATES)
    self.assertEqual(rates.names, ("0", "1"))

  def test_csv_rows_are_rows_in_order(self):
    matrix = models.uniform(5)
    text = "\n".join(",".join(map(repr, row)) for row in matrix.tolist())
    rates = self._load("rates.csv", text)
    np.testing.assert_array_equal(rates.preferences, matrix)

  @parameterized.parameters("0.5", "a\n0.5", ",a\na,", "a,0.5\n")
  def test_one_response(self, text):
    rates = self._load("rates.csv", text)
    np.testing.assert_array_equal(rates.preferences, [[0.5]])

  def test_names_in_other_scripts(self):
    rates = self._load("rates.csv", "été,猫\n0.5,0.7\n0.3,0.5\n")
    self.assertEqual(rates.names, ("été", "猫"))

  @parameterized.parameters(
    ("", "row per response, got none"),
    ("\n\n", "row per response, got none"),
    (",,\n,,\n", "row per response, got none"),
    ("red,blue\n", "row per response, got none"),
    ("0.5,0.7\n0.3\n", "columns as rows, got 1 cells in row 1 of 2"),
    ("0.5\n0.3,0.5\n", "columns as rows, got 1 cells in row 0 of 2"),
    ("0.5,0.7\n0.3,0.5,1\n", "columns as rows, got 3 cells in row 1 of 2"),
    (
      ",a,b\na,0.5,0.7\nb,0.3\n",
      "columns as rows, got 1 cells in row 1 of 2",
    ),
    ("a;b\n0.5;0.7\n0.3;0.5\n", "columns as rows, got 1 cells in row 0"),
    ("0.5,0.5\n", "columns as rows, got 2 cells in row 0 of 1"),
    ("0.5,0.5,0.5\n" * 2, "columns as rows, got 3 cells in row 0 of 2"),
    ("0.5,0.5\n" * 3, "columns as rows, got 2 cells in row 0 of 3"),
    (",\n0.3,0.5\n", "columns as rows, got 2 cells in row 0 of 1"),
    ("0.5,x\n0.3,0.5\n", "numbers, got 'x' at row 0, column 1"),
    ("a,b\n0.5,0.7\nwin,0.5\n", "numbers, got 'win' at row 1, column 0"),
    ("a,b\n50%%,70%\n30%,50%\n", "numbers, got '50%%' at row 0, column 0"),
    ("0.5,\n0.3,0.5\n", "numbers, got '' at row 0, column 1"),
    ("a,b,c\n0.5,0.7\n0.3,0.5\n", "name every.*got 3 names for 2 rows"),
    ("a\n0.5,0.7\n0.3,0.5\n", "name every.*got 1 names for 2 rows"),
    (
      ",a,b\nb,,0.7\na,0.3,\n",
      r"name rows as columns, got \['b', 'a'\] and \['a', 'b'\]",
    ),
    (b"\xff\xfe0.5", "be text of cells.*utf-8"),
    ("'" * 200_000, "be text of cells.*field limit"),
  )
  def test_bad_csv(self, content, message):
    self._assert_refuses(f"(?s)^`path` must .*{message}", "rates.csv", content)

  @parameterized.parameters(
    ("nan,0.7\n0.3,0.5\n", 0, 0),
    (",NaN\nnan,\n", 0, 1),
    ("a,b\n0.5,0.7\nNaN,0.5\n", 1, 0),
  )
  def test_missing_rates_are_found_by_the_game(self, text, row, column):
    rates = self._load("rates.csv", text)
    with self.assertRaisesRegex(
      ValueError,
      r"`preferences` must lie in \[0, 1\], got nan at row "
      f"{row}, column {column};",
    ):
      preference_game.preference_game(rates.preferences)

  @parameterized.parameters(np.float64, np.float32, np.float16)
  def test_npy(self, dtype):
    for shape in ((3, 3), (2, 4, 4)):
      array = np.random.default_rng(0).random(shape).astype(dtype)
      rates = self._load("rates.npy", _bytes_of(np.save, array))
      np.testing.assert_array_equal(rates.preferences, array)
      self.assertEqual(rates.preferences.dtype, np.float64)
      self.assertEqual(rates.names, tuple(map(str, range(shape[-1]))))

  def test_npy_of_whole_numbers(self):
    content = _bytes_of(np.save, np.array([[0, 1], [0, 0]]))
    rates = self._load("rates.npy", content)
    np.testing.assert_array_equal(rates.preferences, [[0.0, 1.0], [0.0, 0.0]])

  @parameterized.parameters(
    (np.zeros(3), r"a square matrix, or one per context, got shape \(3,\)"),
    (np.float64(1), r"a square matrix.*got shape \(\)"),
    (np.zeros((2, 3)), r"a square matrix.*got shape \(2, 3\)"),
    (np.zeros((2, 3, 2)), r"a square matrix.*got shape \(2, 3, 2\)"),
    (np.zeros((1, 1, 2, 2)), r"a square matrix.*got shape \(1, 1, 2, 2\)"),
    (np.zeros((2, 2), complex), "an array of real numbers.*complex128"),
    (np.array([["a", "b"]] * 2), "an array of real numbers.*<U1"),
  )
  def test_npy_of_another_kind(self, array, message):
    self._assert_refuses(
      f"^`path` must hold {message}", "rates.npy", _bytes_of(np.save, array)
    )

  @parameterized.parameters(
    (_bytes_of(np.save, np.array([[{}, 1], [2, 3]], object)), "[Oo]bject"),
    (_bytes_of(np.savez, np.zeros((2, 2))), "magic"),
    (_bytes_of(np.save, np.zeros((9, 9)))[:-8], "81 elements"),
    (b"", "magic"),
    (b"0.5,0.7\n0.3,0.5\n", "magic"),
    (b"PK\x03\x04junk", "magic"),
    (b"\x80\x04K\x01.", "magic"),
  )
  def test_bad_npy(self, content, message):
    self._assert_refuses(
      f"^`path` must hold an array of numbers.*{message}",
      "rates.npy",
      content,
    )

  @parameterized.parameters("rates.txt", "rates", "rates.npz", "csv")
  def test_suffix(self, name):
    self._assert_refuses("`path` must end in .csv or .npy", name, "0.5\n")

  @parameterized.parameters("rates.csv", "rates.npy")
  def test_the_file_must_be_there(self, name):
    folder = self._folder()
    with self.assertRaisesRegex(ValueError, f"`path` must be a file.*{name}"):
      files.load(str(folder / name))
    (folder / name).mkdir()
    with self.assertRaisesRegex(ValueError, f"`path` must be a file.*{name}"):
      files.load(folder / name)

  def test_a_path_may_be_a_string(self):
    path = self._file("rates.csv", "0.5\n")
    rates = files.load(str(path))
    np.testing.assert_array_equal(rates.preferences, [[0.5]])

  @parameterized.parameters("0_1", ".5_5", "\u0660.5")
  def test_what_is_a_number_to_python_alone(self, cell):
    folder = self.enterContext(tempfile.TemporaryDirectory())
    path = pathlib.Path(folder, "rates.csv")
    path.write_text(f"0.5,0.6\n{cell},0.5\n", encoding="utf-8")
    with self.assertRaisesRegex(ValueError, "must hold numbers, got .* row 1"):
      files.load(path)


if __name__ == "__main__":
  absltest.main()
