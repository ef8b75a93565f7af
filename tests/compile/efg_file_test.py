"""Tests of what .efg files may look like, and of what is said where not."""

import pathlib
import re

from absl.testing import absltest, parameterized
import numpy as np

from mdrl.compile import efg_file
from tests.compile import efg_writer

_PATH = pathlib.Path("folder/some.efg")
_PROLOGUE = 'EFG 2 R "A game" { "A" "B" }\n'


def _nodes(content):
  """Returns the nodes of a file, read to its end."""
  file = efg_file.EfgFile(_PATH, content)
  nodes, pending = [], 1
  while pending:
    nodes.append(file.node())
    infoset = nodes[-1].infoset
    pending += len(infoset.labels) - 1 if infoset else -1
  file.end()
  return nodes


class FormsTest(parameterized.TestCase):
  @parameterized.parameters(
    'EFG 2 R "A game" { "A" "B" }\n"comment" p "" 1 1 "s" { "x" } 0 t "" 0',
    'EFG 2 D "" {"A""B"}p""1 1"s"{"x"}0 t""0',
    '\r\n EFG\t2\vR\f"A\r\ngame" { "" "" }p "" 1 1 "s" { "x" } 0\r\nt "" 0\r',
    '\ufeffEFG 2 R "\\"A\\" {" { "A" "B" } p"t" 1 1 "s" { "x" } 0 t "" 0\n',
  )
  def test_blanks_and_texts(self, text):
    first, last = _nodes(text.encode())
    self.assertEqual(first.infoset.name, "0-0-1-s")
    self.assertEqual(first.infoset.labels, ("x",))
    self.assertIsNone(first.payoffs)
    self.assertIsNone(last.infoset)

  @parameterized.parameters("utf-8", "utf-8-sig", "latin-1")
  def test_encodings(self, encoding):
    text = 'EFG 2 R "Jeu" { "Å" }p "" 1 1 "été" { "œuf"} 0 t "" 0'
    text = text.replace("œ", "ø")
    (node, _) = _nodes(text.encode(encoding))
    self.assertEqual(node.infoset.name, "0-0-1-été")
    self.assertEqual(node.infoset.labels, ("øuf",))

  @parameterized.parameters(
    (r'"a \" b"', 'a " b'),
    (r'"\""', '"'),
    (r'"\\"', None),
    (r'"a\b \n"', r"a\b \n"),
    ('"two\r\nlines"', "two\nlines"),
  )
  def test_quotation_marks(self, quoted, meant):
    text = f'EFG 2 R "A game" {{ "A" }} p "" 1 1 {quoted} {{ "x" }} 0 t "" 0'
    if meant is None:
      # A mark behind a backslash never ends a text, however many there are.
      with self.assertRaisesRegex(ValueError, "nothing closes"):
        _nodes(text.replace('"x"', "").replace(' t "" 0', "").encode())
    else:
      self.assertEqual(_nodes(text.encode())[0].infoset.name, f"0-0-1-{meant}")

  def test_actions_are_numbered_as_openspiel_does(self):
    sets = _nodes(
      (
        _PROLOGUE
        + 'p "" 1 1 "" { "l" "r" "m" } 0 p "" 2 1 "" { "r" "new" "l" } 0 '
        't "" 0 t "" 0 t "" 0 p "" 1 2 "" { "l" "l" } 0 t "" 0 t "" 0 '
        't "" 0'
      ).encode()
    )
    numbers = [node.infoset.actions for node in sets if node.infoset]
    # Sorted within a set; what a set repeats has a number of its own.
    self.assertEqual(numbers, [(0, 1, 2), (0, 1, 3), (0, 4)])


class ErrorsTest(parameterized.TestCase):
  def _assert_refused(self, text, message):
    with self.assertRaises(ValueError) as caught:
      _nodes(text.encode())
    text = str(caught.exception)
    self.assertStartsWith(text, "`game` cannot be read from 'folder/some.efg':")
    self.assertRegex(text, message)
    self.assertNotIn("\n", text)

  @parameterized.parameters(
    ("", "line 1, column 1: expected EFG, .* got the end of the file"),
    ("hello", "line 1, column 1: expected EFG, .* got 'hello'"),
    ('NFG 1 R "x"', "expected EFG, .*got 'NFG'"),
    ("EFG 1 R", "line 1, column 5: expected version 2 .*, got '1'"),
    ('EFG 2 Q "x"', "column 7: expected R or D, .* got 'Q'"),
    ("EFG 2 R\n\n  x", "line 3, column 3: expected the title .* got 'x'"),
    ("EFG 2\rR\r\n\r x", "line 4, column 2: expected the title"),
    ('EFG 2 R "x" "A"', "expected { and a list of players, got the text 'A'"),
    ('EFG 2 R "x" {}', "at least one of the players, got '}'"),
    ('EFG 2 R "x" { "A" t', "name of a player in quotation marks.*got 't'"),
    ('EFG 2 R "x" { "A" }', "expected a node, .*got the end of the file"),
    ('EFG 2 R "x" { "A } t', "got a quotation mark that nothing closes"),
  )
  def test_prologues(self, text, message):
    self._assert_refused(text, message)

  @parameterized.parameters(
    ("x", "column 1: expected a node, which begins with c, p or t, got 'x'"),
    ('"comment" "t" 0', "expected a node, .* got the text 't'"),
    ("t 0", "column 3: expected the name of the node .*, got '0'"),
    ('t ""', "expected the number of an outcome, 0 for none, got the end"),
    ('t "" -1', "expected the number of an outcome, 0 for none, got '-1'"),
    ('t "" 1.0', "expected the number of an outcome, 0 for none, got '1.0'"),
    ('t "" 0 t "" 0', "column 8: expected the end of the file.* got 't'; re"),
    ('t "" 0 EFG', "expected the end of the file"),
    ('p "" 1 1 "" { "x" "y" } 0 t "" 0', "a node,.*; every action leads to"),
  )
  def test_nodes(self, body, message):
    self._assert_refused(_PROLOGUE + body, f"line 2, .*{message}")

  @parameterized.parameters(
    ('p "" 0 1 "" { "x" } 0', "column 6: .* player, from 1 to 2, got 0; cha"),
    ('p "" 3 1 "" { "x" } 0', "player, from 1 to 2, got 3"),
    ('p "" -1 1 "" { "x" } 0', "player, from 1 to 2, got '-1'"),
    ('p "" 999999999999 1 "" { "x" } 0', "from 1 to 2, got 999999999999"),
    ('p "" 1 0 "" { "x" } 0', "number of an information set, from 1, got '0"),
    ('p "" 1 -3 "" { "x" } 0', "information set, from 1, got '-3'"),
    ('p "" 1 x "" { "x" } 0', "information set, from 1, got 'x'"),
    ('p "" 1 1 0', "set 1 of player 1 and its actions.* not described bef"),
    ('p "" 1 1 "" 0', "expected { and a list of actions, got '0'"),
    ('p "" 1 1 "" { } 0', "at least one of the actions, got '}'"),
    ('p "" 1 1 "" { x } 0', "name of an action in quotation marks.* got 'x'"),
    ('p "" 1 1 "" { "x", "y" } 0', "name of an action .* got ','"),
    ('p "" 1 1 "" { "x" 1 "y" 2 } 0', "name of an action .* got '1'"),
    ('p "" 1 1 "" { "x" 0 t "" 0', "in quotation marks, or }, got '0'"),
    ('p "" 1 1 "a" { "x" } 0 p "" 1 1 "b" { "x" } 0', "column 33: .*another"),
    ('p "" 1 1 "a" { "x" } 0 p "" 1 1 "a" { "y" } 0', "or other actions"),
    (
      'p "" 1 1 "a" { "x" } 0 p "" 1 1 "a" { "x" "y" } 0',
      "set 1 of player 1 as described at line 2, column 10, got another.*"
      "; repeat it exactly, leave it out, or choose another number",
    ),
    ('p "" 1 1 "a" { "x" } 0 p "" 2 1 0', "set 1 of player 2.*not described"),
  )
  def test_information_sets(self, body, message):
    self._assert_refused(_PROLOGUE + body, message)

  @parameterized.parameters(
    ('c "" 0 "" { "x" 1 } 0', "number of a chance event, from 1, got '0'"),
    ('c "" 1 0', "name of event 1 and its actions in braces, as it was not"),
    ('c "" 1 "" { "x" "y" } 0', "the probability of 'x', got the text 'y'"),
    ('c "" 1 "" { "x" -1/2 "y" 3/2 } 0', "from 0 to 1 of 'x', got -0.5"),
    ('c "" 1 "" { "x" 2 "y" -1 } 0', "from 0 to 1 of 'x', got 2"),
    ('c "" 1 "" { "x" 1/2 "y" 1/3 } 0', "sum of 0.8333333333; .* as 1/3"),
    ('c "" 1 "" { "x" .333 "y" .333 "z" .333 } 0', "got a sum of 0.999"),
    (
      'c "" 1 "e" { "x" 1/2 "y" 1/2 } 0 c "" 1 "e" { "x" 1/3 "y" 2/3 } 0',
      "expected event 1 as described at line 2, column 8, got another",
    ),
  )
  def test_chance(self, body, message):
    self._assert_refused(_PROLOGUE + body, message)

  @parameterized.parameters(
    ('t "" 7', "expected the name of outcome 7 and its payoffs in braces"),
    ('t "" 0 "" { 1 2 }', "column 6: expected nothing behind outcome 0"),
    ('t "" 0 { 1 2 }', "expected nothing behind outcome 0"),
    ('t "" 1 "win"', "expected { and a list of payoffs, got the end"),
    ('t "" 1 "" { 1 }', "payoff for each of 2 players, got 1 of outcome 1"),
    ('t "" 1 "" { 1 2 3 }', "payoff for each of 2 players, got 3 of"),
    ('t "" 1 "" { , 1 2 }', "expected a payoff, got ','"),
    ('t "" 1 "" { 1,,2 }', "expected a payoff, got ','"),
    ('t "" 1 "" { nan 2 }', "a payoff, got 'nan'; write it such as 3"),
    ('t "" 1 "" { 1 inf }', "got 'inf'; write it"),
    ('t "" 1 "" { 0x10 1 }', "got '0x10'; write it"),
    ('t "" 1 "" { 1_000 1 }', "got '1_000'; write it"),
    ('t "" 1 "" { 2-3 }', "got '2-3'; write it"),
    ('t "" 1 "" { \u0661 1 }', "got '\u0661'; write it"),
    ('t "" 1 "" { 1.5/2 1 }', "got '1.5/2'; write it"),
    ('t "" 1 "" { 1/-2 1 }', "got '1/-2'; write it"),
    ('t "" 1 "" { 1/0 1 }', "whose denominator is not 0, got '1/0'"),
    ('t "" 1 "" { 1e999 1 }', "number that a double holds, got '1e999'; ch"),
    ('t "" 1 "" { 1e99999999999 1 }', "number that a double holds"),
    ('t "" 1 "" { 1e-999 1 }', "number that a double holds"),
    (f't "" 1 "" {{ {10**1200} 1 }}', "number that a double holds, got '1"),
    (f't "" {10**1200}', "of at most 1000 digits, got '1000"),
    (f't "" 1 "" {{ {"x" * 99} 1 }}', re.escape(f"got '{'x' * 40}...'")),
    (
      'p "" 1 1 "" { "x" } 2 "o" { 1 2 } t "" 2 "o" { 1 3 }',
      "expected outcome 2 as described at line 2, column 23, got another",
    ),
    (
      'p "" 1 1 "" { "x" } 2 "o" { 1 2 } t "" 2 "u" { 1 2 }',
      "another name or other payoffs; repeat it exactly",
    ),
  )
  def test_outcomes(self, body, message):
    self._assert_refused(_PROLOGUE + body, message)

  @parameterized.parameters(*range(10))
  def test_damaged_files_are_refused_or_read(self, seed):
    rng = np.random.default_rng(seed)
    tree = efg_writer.Tree(seed, depth=3)
    content = efg_writer.Writer(tree, seed).text().encode()
    words = (b"", b'"', b"{", b"}", b"\\", b" 1e99 ", b" p ", b"\xff", b"\0")
    refused = 0
    for _ in range(50):
      start, stop = sorted(rng.integers(len(content), size=2))
      stop = min(stop, start + 9)
      word = words[rng.integers(len(words))]
      damaged = content[:start] + word + content[stop:]
      try:
        _nodes(damaged)
      except ValueError as error:
        self.assertRegex(str(error), r"^`game` cannot be read from 'f.*: line")
        refused += 1
    self.assertGreater(refused, 10)

  def test_payoffs_may_be_written_otherwise_again(self):
    body = 'p "" 1 1 "" { "x" } 2 "o" { 1 .5 } t "" 2 "o" { 1.0 1/2 }'
    nodes = _nodes((_PROLOGUE + body).encode())
    self.assertEqual(nodes[0].payoffs, nodes[1].payoffs)


if __name__ == "__main__":
  absltest.main()
