"""The driver reported no error in the kernel log while the GPUs were under load."""

from vcbox.checks import gpu_xid, soak_look
from vcbox.checks.base import Look, Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t7_xid", "No Xid errors during the soak", soak_look.SUITE, 4


def gather(look: Look) -> Raw:
    """The kernel log is read after the soak, anew."""
    soak = soak_look.gather(look)
    return {"soak": soak, "xid": gpu_xid.gather(look.again())}


def judge(raw: Raw, profile: Profile) -> Result:
    if stop := soak_look.stop(raw["soak"]):
        return stop
    return soak_look.whole(raw["soak"], gpu_xid.judge(raw["xid"], profile))
