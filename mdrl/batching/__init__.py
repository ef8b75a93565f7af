"""A `vmap` whose batch is the last axis."""
