"""Preference matrices: models, order and files."""
