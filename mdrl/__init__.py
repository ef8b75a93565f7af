"""Game-theoretic and mirror-descent algorithms in JAX."""
