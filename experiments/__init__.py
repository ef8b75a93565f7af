"""Binaries: flags to library to files."""
