"""The parts of `exploit_policy` and `play_match`."""
