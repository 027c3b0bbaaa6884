"""Copies within each card: bytes read and written a second, data verified."""

from vcbox.checks import bench_look
from vcbox.checks.base import Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t6_memory", "Device memory bandwidth", bench_look.SUITE, 4
gather = bench_look.gather


ADVICE = "Compare the memory clock under load; wrong data is the card's: run the memory test, then RMA."


def judge(raw: Raw, profile: Profile) -> Result:
    return bench_look.copies(raw, profile, "memory", "memoryGBps", ADVICE)
