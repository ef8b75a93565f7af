"""What all binaries share: folders of runs, saved states, and the host loop."""
