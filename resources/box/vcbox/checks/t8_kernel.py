"""
A newer kernel that came without the driver's modules is told of by the driver's checks, which `drift` runs. The kernel is
simulated in what the checks read of dpkg: nothing is installed, so nothing is left behind.
"""

from vcbox.checks import driver_look, together_look
from vcbox.checks.base import Look, Profile, Raw, Result, judged
from vcbox.parsers.packages import QUERY

ID, TITLE, SUITE, NEEDS = "t8_kernel", "A kernel without the driver's modules is told of", "integration", 2
KERNEL = "99.0.0-1-simulated"
# Whether the modules are there; and, on a machine with a kernel of its own, that a reboot is due.
CHECKS = ("l2_dkms", "l2_reboot")


def gather(look: Look) -> Raw:
    simulated = look.again()
    told = simulated.command(*QUERY)
    line = f"linux-image-{KERNEL} 99.0.0-1 install installed\n"
    simulated.seen[QUERY] = {**told, "out": told["out"] + line}
    return {
        "now": together_look.gather(look, ("l2_dkms",)),
        "then": together_look.gather(simulated, CHECKS),
        "container": driver_look.in_container(look),
    }


def judge(raw: Raw, profile: Profile) -> Result:
    want = f"{KERNEL} is told of, and only while it is there"
    now = together_look.judge(raw["now"], profile)
    if now.verdict not in ("pass", "not_supported"):
        return judged(False, f"before anything was simulated: {now.value}", want, "Run layer 2 again.")
    found = {id: together_look.judge({id: gathered}, profile) for id, gathered in raw["then"].items()}
    # In a container the host's kernel runs, and no other one can be booted.
    expected = CHECKS[:1] if raw["container"] else CHECKS
    silent = [id for id in expected if found[id].verdict != "fail" or KERNEL not in str(found[id].value)]
    lines = [f"{id}: {result.verdict}, {result.value}" for id, result in found.items()]
    value = (
        f"not told of by {', '.join(silent)}"
        if silent
        else "; ".join(str(found[id].value) for id in expected)
    )
    return judged(not silent, value, want, "Report it with the job's log.", evidence="\n".join(lines))
