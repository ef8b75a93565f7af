"""Many runs at once: in lanes of one device, and over devices."""
