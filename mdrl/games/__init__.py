"""What is solved: games as arrays."""
