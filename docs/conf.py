"""How Sphinx builds these pages; `CONTRIBUTING.md` has the command."""

import collections
import itertools
import pathlib
import re
import shutil

import jax

import mdrl

# Pages of modules that are gone would be errors.
shutil.rmtree(pathlib.Path(__file__).parent / "api", ignore_errors=True)

# Annotations then say `Float[Array, "S"]` and not where the class is defined.
jax.Array.__name__ = "Array"

project = "mdrl"
author = "The mdrl authors"
version = release = mdrl.__version__

extensions = [
  "myst_nb",
  "sphinx.ext.apidoc",
  "sphinx.ext.autodoc",
  "sphinx.ext.mathjax",
  "sphinx.ext.napoleon",
]
exclude_patterns = ["notebooks/.ipynb_checkpoints"]

# Notebooks appear as they were executed; a test of their own runs them anew.
nb_execution_mode = "off"
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"mdrl {version}"
html_show_sourcelink = False

apidoc_modules = [
  {
    "path": "../mdrl",
    "destination": "api",
    "max_depth": 2,
    "separate_modules": True,
    "module_first": True,
    "automodule_options": {"members", "show-inheritance"},
  }
]
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
# Types of attributes stand in the signature of their class.
napoleon_attr_annotations = False
# Docstrings write code between single backticks, as Markdown does.
default_role = "code"

_SECTION = re.compile(r"[A-Z][a-z]+:$")
_BULLET = re.compile(r"([-*]|\d+\.) ")
_CODE = re.compile(r"(`[^`]*`)")
_MARKUP = re.compile(r"[|*]|\b_(?!\w)")


def from_markdown(app, what, name, obj, options, lines):
  """Rewrites a docstring from Markdown to reStructuredText, for autodoc.

  Indented paragraphs become literal blocks, as they are formulas; stars, bars
  and trailing underscores outside of code are escaped.
  """
  del app, what, name, obj, options
  result, previous = [], ""
  for filled, group in itertools.groupby(
    lines, key=lambda line: bool(line.strip())
  ):
    paragraph = list(group)
    if not filled:
      result += paragraph
      continue
    indented = all(line.startswith(" ") for line in paragraph)
    if indented and previous == "text":
      result += ["::", ""]
    if indented and previous in ("text", "formula"):
      previous = "formula"
    else:
      paragraph = [_escaped(line) for line in paragraph]
      first = paragraph[0]
      plain = not (_SECTION.match(first) or _BULLET.match(first) or indented)
      previous = "text" if plain else ""
    result += paragraph
  lines[:] = result


def _escaped(line):
  bullet = _BULLET.match(line.lstrip())
  start = len(line) - len(line.lstrip()) + (bullet.end() if bullet else 0)
  pieces = _CODE.split(line[start:])
  pieces[::2] = [_MARKUP.sub(r"\\\g<0>", piece) for piece in pieces[::2]]
  return line[:start] + "".join(pieces)


def is_field(app, what, name, obj, skip, options):
  """Leaves out fields of named tuples, which their class describes."""
  del app, what, name, options
  return True if isinstance(obj, type(_Example.field)) else skip


_Example = collections.namedtuple("_Example", "field")


def setup(app):
  """Registers what happens to docstrings before they are read as Google's."""
  app.connect("autodoc-process-docstring", from_markdown, priority=400)
  app.connect("autodoc-skip-member", is_field)
