"""What a kernel is started with knows the modules' settings: its initramfs is not older than they are."""

from pathlib import Path

from vcbox.checks import driver_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged, not_supported

ID, TITLE, LAYER = "l2_initramfs", "Initramfs is up to date", 2


def newer_than(initrd: Path, kernel: str) -> list[str]:
    """Settings and NVIDIA's modules that were written after this initramfs."""
    at = initrd.stat().st_mtime_ns
    about = [
        *Path("/etc/modprobe.d").glob("*nvidia*.conf"),
        *Path(f"/lib/modules/{kernel}").rglob("nvidia*.ko*"),
    ]
    return sorted(str(path) for path in about if path.stat().st_mtime_ns > at)


def gather(look: Look) -> Raw:
    """By kernel: None without an initramfs, else what is newer."""
    files = {k: Path(f"/boot/initrd.img-{k}") for k in driver_look.kernels(look)}
    return {k: newer_than(path, k) if path.exists() else None for k, path in files.items()}


def judge(raw: Raw, profile: Profile) -> Result:
    if not raw:
        return not_supported(driver_look.NO_KERNEL)
    wrong = [
        f"{kernel}: no initramfs" if newer is None else f"{kernel}: older than {', '.join(newer)}"
        for kernel, newer in raw.items()
        if newer is None or newer
    ]
    value = "; ".join(wrong)[:500] or f"up to date for {', '.join(raw)}"
    return judged(not wrong, value, "newer than settings and modules", driver_look.AGAIN)
