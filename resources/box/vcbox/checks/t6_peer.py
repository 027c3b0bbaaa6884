"""Each card to each other, written and then verified there, whatever the driver claims of peer access."""

from vcbox.checks import bench_look
from vcbox.checks.base import Profile, Raw, Result

ID, TITLE, SUITE, NEEDS = "t6_peer", "From card to card", bench_look.SUITE, 4
gather = bench_look.gather


ADVICE = (
    "Peer writes vanish or are changed on their way (vllm-project/vllm#51513): turn ACS redirection and IOMMU translation off in the BIOS,"
    " or peer access in the driver, then run again."
)


def judge(raw: Raw, profile: Profile) -> Result:
    if raw["ran"] and raw["gpus"] == 1:
        return Result("not_supported", reason="there is one GPU: no peer to copy to")
    pairs = raw["gpus"] * (raw["gpus"] - 1) if raw["ran"] else 0
    return bench_look.copies(raw, profile, "peer", "peerGBps", ADVICE, expected=pairs)
