"""Stand-in for PyTorch: tells its version and the cards that the stand-in nvidia-smi tells of. It computes nothing."""

from torch import cuda, version

STAND_IN = True
__version__ = version.__version__
__all__ = ["STAND_IN", "__version__", "cuda", "version"]
