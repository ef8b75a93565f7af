"""The parts of `compare_solvers`."""
