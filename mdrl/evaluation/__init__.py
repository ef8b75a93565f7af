"""Best responses, gaps, divergences and exact values."""
