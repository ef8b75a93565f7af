"""Losses, one equation each, of one sample."""
