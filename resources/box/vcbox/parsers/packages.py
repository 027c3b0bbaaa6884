"""Debian packages as dpkg tells of them, and which of them are NVIDIA's."""

import re
from dataclasses import dataclass

# What NVIDIA calls its packages; the same as `driver_stack_name_patterns` of the Ansible role, which a test keeps so.
NVIDIA_NAMES = (
    "cuda-",
    "firmware-nvidia",
    "libcu(blas|da|dnn|dss|fft|file|obj|rand|solver|sparse|tensor)",
    "libnccl",
    "libnpp",
    "libnv(fatbin|idia|jitlink|jpeg|ptxcompiler|sdm|vm)",
    "linux-(modules|objects|signatures)-nvidia",
    "nsight-",
    "nvidia-",
    "xserver-xorg-video-nvidia",
)
NVIDIA = re.compile(f"({'|'.join(NVIDIA_NAMES)})")
# Settings for apt, without software of their own.
SETTINGS = re.compile(r"cuda-keyring|nvidia-driver-pinning")
KERNEL = re.compile(r"linux-image-(?:unsigned-)?(\d\S*)")
QUERY = ("dpkg-query", "-W", "-f", "${Package} ${Version} ${db:Status-Want} ${db:Status-Status}\\n")


@dataclass(frozen=True)
class Package:
    """`version` as dpkg has it, `upstream` without epoch and what the distribution added."""

    name: str
    version: str
    held: bool

    @property
    def upstream(self) -> str:
        return re.sub(r"^\d+:", "", self.version).rpartition("-")[0] or self.version


def parse_packages(text: str) -> list[Package]:
    """Installed packages of `QUERY`'s output; what is half installed or removed is not among them."""
    cells = (line.split() for line in text.splitlines())
    return [Package(c[0], c[1], c[2] == "hold") for c in cells if len(c) == 4 and c[3] == "installed"]


def nvidias(packages: list[Package]) -> list[Package]:
    return [p for p in packages if NVIDIA.match(p.name) and not SETTINGS.match(p.name)]


def kernels_of(packages: list[Package]) -> list[str]:
    """Kernels that are installed as packages, as `uname -r` tells them."""
    found = (KERNEL.fullmatch(p.name) for p in packages if not p.name.endswith("-dbg"))
    return sorted({match[1] for match in found if match})
