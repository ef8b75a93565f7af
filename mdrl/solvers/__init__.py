"""One algorithm, one paper, one file."""
