"""One player's decisions as arrays, and sweeps over them."""
