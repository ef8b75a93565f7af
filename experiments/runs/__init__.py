"""What all binaries share: folders of runs, saved states, the host loop."""
