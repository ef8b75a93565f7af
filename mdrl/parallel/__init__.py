"""Runs batches of settings on one device or several."""
