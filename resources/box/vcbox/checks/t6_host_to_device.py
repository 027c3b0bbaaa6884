"""Pinned memory to each card, data verified."""

from vcbox.checks import bench_look
from vcbox.checks.base import Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t6_host_to_device", "PCIe: host to device", bench_look.SUITE, 4
gather = bench_look.gather


ADVICE = (
    "Look at the link's generation and width under load; reseat the card and its riser; try another slot."
)


def judge(raw: Raw, profile: Profile) -> Result:
    return bench_look.copies(raw, profile, "h2d", "hostToDeviceGBps", ADVICE)
