"""Heterogeneous memory is off in the UVM module: with it CUDA can fail to start (pytorch/pytorch#159207)."""

import re

from vcbox.checks import driver_look
from vcbox.checks.base import Look, Profile, Raw, Result, error, judged, said

ID, TITLE, LAYER = "l2_module_options", "Heterogeneous memory is off", 2
PARAMETER = "/sys/module/nvidia_uvm/parameters/uvm_disable_hmm"


def gather(look: Look) -> Raw:
    return {"config": look.command("modprobe", "--showconfig"), "loaded": look.read(PARAMETER)}


def judge(raw: Raw, profile: Profile) -> Result:
    want = "uvm_disable_hmm=1"
    if raw["config"]["status"]:
        return error(f"modprobe --showconfig: {said(raw['config'])}", "Mend /etc/modprobe.d.")
    lines = [line for line in raw["config"]["out"].splitlines() if re.match(r"options nvidia.uvm\s", line)]
    # modprobe hands all options over in this order, and the last one counts.
    told = re.findall(r"\buvm_disable_hmm=(\S+)", "\n".join(lines))
    if not told or told[-1] not in ("1", "Y", "y"):
        value = f"uvm_disable_hmm={told[-1]}" if told else "not set"
        return judged(False, value, want, driver_look.AGAIN, evidence="\n".join(lines))
    if raw["loaded"] is not None and raw["loaded"].strip() not in ("Y", "1"):
        value = f"set, but the loaded module has {raw['loaded'].strip()}"
        return judged(False, value, want, "Reboot, then check again.", evidence="\n".join(lines))
    return judged(True, want, want, "", evidence="\n".join(lines))
