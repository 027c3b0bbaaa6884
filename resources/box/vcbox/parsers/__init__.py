"""Pure functions from captured text to values; no file, no process."""
