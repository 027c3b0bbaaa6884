"""Stand-in for vLLM: tells its version and whether the stand-in PyTorch beside it sees a card. It serves nothing."""

STAND_IN = True
__version__ = "@VERSION@"
