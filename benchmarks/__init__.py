"""Timings beside other programs, on one machine."""
