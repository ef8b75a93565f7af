"""The parts of `solve_preference` and `preference_league`."""
