"""The parts of `sweep_game`."""
