"""Side-by-side timings in one process run."""
