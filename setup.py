"""Package metadata; the settings of the tools are in pyproject.toml."""

import os
import pathlib
import re
import subprocess

import setuptools

_ROOT = pathlib.Path(__file__).resolve().parent
_DEV = [
  "beartype>=0.20",
  "furo>=2025.9",
  "hypothesis>=6.130",
  "ipykernel>=6.29",
  "jupytext>=1.17",
  "myst-nb>=1.4",
  "nbmake>=1.5.5",
  "pyright>=1.1.400",
  "pytest>=8.3",
  "pytest-xdist>=3.8",
  "ruff>=0.11",
  "setuptools>=77",
  "sphinx>=8.2",
]
_BINARIES = (
  "compare_solvers",
  "exploit_policy",
  "play_match",
  "preference_league",
  "solve_game",
  "solve_preference",
  "sweep_game",
)


def _version():
  text = (_ROOT / "mdrl" / "__init__.py").read_text(encoding="utf-8")
  match = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
  assert match
  return match[1]


def _repository():
  """Returns where the repository is on the web, or None.

  It is what MDRL_REPOSITORY says, or else the origin of the checkout.
  """
  address = os.environ.get("MDRL_REPOSITORY", "")
  if not address and (_ROOT / ".git").exists():
    command = ["git", "config", "--get", "remote.origin.url"]
    try:
      result = subprocess.run(
        command, cwd=_ROOT, capture_output=True, text=True, check=False
      )
    except OSError:
      return None
    address = result.stdout.strip()
  address = re.sub(r"^(?:ssh://)?git@([^:/]+)[:/]", r"https://\1/", address)
  address = address.removesuffix("/").removesuffix(".git")
  return address if address.startswith("https://") else None


def _long_description(repository):
  """Returns the README with links that hold on a package index as well.

  Without the address of the repository, pictures give way to what they show,
  and links to their words.
  """
  text = (_ROOT / "README.md").read_text(encoding="utf-8")
  target = r"\[([^]]*)\]\((?!https?:)([^)]*)\)"
  if repository is None:
    text = re.sub("!" + target, r"*Figure: \1.*", text)
    return re.sub(target, r"\1", text)
  text = re.sub("!" + target, rf"![\1]({repository}/raw/HEAD/\2)", text)
  return re.sub(target, rf"[\1]({repository}/blob/HEAD/\2)", text)


def _urls(repository):
  if repository is None:
    return {}
  return {
    "Source": repository,
    "Issues": f"{repository}/issues",
    "Changelog": f"{repository}/blob/HEAD/CHANGELOG.md",
  }


def _command(name):
  return f"mdrl-{name.replace('_', '-')} = experiments.{name}:run"


setuptools.setup(
  name="mdrl",
  version=_version(),
  description="Game-theoretic and mirror-descent algorithms in JAX.",
  long_description=_long_description(_repository()),
  long_description_content_type="text/markdown",
  author="The mdrl authors",
  license="Apache-2.0",
  license_files=["LICENSE"],
  project_urls=_urls(_repository()),
  keywords=[
    "convex optimisation",
    "counterfactual regret minimisation",
    "extensive-form games",
    "game theory",
    "JAX",
    "mirror descent",
    "Nash equilibrium",
    "preference learning",
  ],
  classifiers=[
    "Development Status :: 4 - Beta",
    "Environment :: Console",
    "Intended Audience :: Science/Research",
    "Operating System :: POSIX",
    "Programming Language :: Python :: 3",
    "Programming Language :: Python :: 3.11",
    "Programming Language :: Python :: 3.12",
    "Topic :: Scientific/Engineering :: Artificial Intelligence",
    "Topic :: Scientific/Engineering :: Mathematics",
    "Typing :: Typed",
  ],
  python_requires=">=3.11",
  packages=setuptools.find_packages(
    include=["mdrl", "mdrl.*", "experiments", "experiments.*"]
  ),
  package_data={"mdrl": ["py.typed"], "mdrl.judges": ["*.cc", "*.h"]},
  entry_points={"console_scripts": [_command(name) for name in _BINARIES]},
  install_requires=[
    "absl-py>=2.3.1",
    "chex>=0.1.92",
    "flax>=0.12.8",
    "jax>=0.10.0",
    "jaxtyping>=0.3.2",
    "matplotlib>=3.10",
    "ml_collections>=1.1",
    "mpltern>=1.0.4",
    "numpy>=2.0",
    "open_spiel>=2.0.2",
    "optax>=0.2.8",
    "orbax-checkpoint>=0.12.8",
    "rich>=14",
    "scipy>=1.15",
  ],
  # No extra for the peers of the benchmarks: LiteEFG asks for JAX below 0.8
  # and noregret for OpenSpiel below 2, so that pip refuses either beside us.
  extras_require={
    "dev": _DEV,
    "cuda": ["jax[cuda13]"],
    "tpu": ["jax[tpu]"],
  },
)
