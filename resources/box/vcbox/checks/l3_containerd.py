"""containerd knows nvidia's runtime, for whoever uses it without Docker."""

import re

from vcbox.checks.base import Look, Profile, Raw, Result, judged, said

ID, TITLE, LAYER = "l3_containerd", "containerd knows the GPU runtime", 3
BINARY = re.compile(
    r"runtimes\.'?nvidia'?\.options\]\n(?:\s+\w+ = .*\n)*?\s*BinaryName = ['\"]([^'\"]+)['\"]"
)


def gather(look: Look) -> Raw:
    words = ("is-active", "is-enabled")
    units = {word: look.command("systemctl", word, "containerd.service")["out"].strip() for word in words}
    return {"config": look.command("containerd", "config", "dump", timeout=60), **units}


def judge(raw: Raw, profile: Profile) -> Result:
    want, config = "active, with runtime nvidia", raw["config"]
    if config["status"]:
        return judged(False, said(config), want, "Mend /etc/containerd, then run layer 3 again.")
    binary = BINARY.search(config["out"])
    wrong = [] if raw["is-active"] == "active" else [f"containerd is {raw['is-active'] or 'unknown'}"]
    if not binary or not binary[1].endswith("nvidia-container-runtime"):
        wrong.append("no runtime nvidia")
    return judged(not wrong, "; ".join(wrong) or (binary[1] if binary else ""), want, "Run layer 3 again.")
