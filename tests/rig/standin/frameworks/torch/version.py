__version__ = "@VERSION@+stand.in"
cuda = "13.0"
