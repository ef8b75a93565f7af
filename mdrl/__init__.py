"""Game-theoretic and mirror-descent algorithms in JAX."""

__version__ = "0.1.0"
