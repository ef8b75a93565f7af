"""The parts of `solve_game`."""
