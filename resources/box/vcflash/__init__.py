"""The writer of a flash: the only program that writes to a target. Standard library only, Python 3.9 or later.

Ways to start it (as root for a disk, as anybody for a file); it takes no arguments, all comes over stdin:
- `python3 -I -B <dir>/vcflash/__main__.py`, from a folder;
- `python3 -I -B writer.pyz`, as one file made by `python3 -m zipapp <dir> -p … -m vcflash.serve:entry`, where <dir> holds the
  folder vcflash and nothing else. Root cannot read a person's FUSE mount (an AppImage), so pkexec needs such a copy.

serve (the commands' order) → engine (threads and buffers) → target and image (files); frames and plan compute only.
"""
