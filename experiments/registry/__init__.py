"""The solvers that binaries know by name."""
