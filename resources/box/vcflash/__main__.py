"""Entry point in a folder: `python3 -I -B <dir>/vcflash/__main__.py`. -I leaves sys.path bare, so it is set here."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

from vcflash.serve import entry

if __name__ == "__main__":
    entry()
