"""First-order methods for zeros of operators: one algorithm, one file."""
