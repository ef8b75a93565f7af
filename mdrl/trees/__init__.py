"""The engine: one player's decisions as arrays, and sweeps over them."""
