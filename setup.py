"""Package metadata; the settings of the tools are in pyproject.toml."""

import pathlib

import setuptools

_DEV = [
    "beartype>=0.20",
    "hypothesis>=6.130",
    "ipykernel>=6.29",
    "jupytext>=1.17",
    "nbmake>=1.5.5",
    "pyright>=1.1.400",
    "pytest>=8.3",
    "pytest-xdist>=3.8",
    "ruff>=0.11",
]

setuptools.setup(
    name="mdrl",
    version="0.1.0",
    description="Game-theoretic and mirror-descent algorithms in JAX.",
    long_description=pathlib.Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    packages=setuptools.find_packages(include=["mdrl", "mdrl.*"]),
    package_data={"mdrl": ["py.typed"]},
    install_requires=[
        "absl-py>=2.3.1",
        "chex>=0.1.92",
        "flax>=0.12.0",
        "jax>=0.10.0",
        "jaxtyping>=0.3.2",
        "matplotlib>=3.10",
        "ml_collections>=1.1",
        "mpltern>=1.0.4",
        "numpy>=2.0",
        "open_spiel>=2.0.2",
        "optax>=0.2.8",
        "orbax-checkpoint>=0.11",
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
