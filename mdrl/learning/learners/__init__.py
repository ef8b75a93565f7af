"""Methods that learn networks by playing."""
