"""What runs on the box: the job runner, its kinds, the checks and their parsers. Standard library only."""

VERSION = "0.1.0"
