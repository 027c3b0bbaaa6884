"""Python of the expected version makes a virtual environment in which pip answers: the thing later layers rest on.

pip is run out of the wheel that it would be installed from, since its installation takes seconds and shows nothing more.
"""

import tempfile
from glob import glob

from vcbox.checks.base import Look, Profile, Raw, Result, distribution, judged, said

ID, TITLE, LAYER = "l1_python", "Python makes virtual environments with pip", 1
# Where both distributions keep what ensurepip installs.
WHEEL = "/usr/share/python-wheels/pip-*.whl"
TRIED = {"pip3": "pip", "venv": "venv", "ensurepip": "pip for a new venv", "pip": "pip in a new venv"}


def gather(look: Look) -> Raw:
    raw: Raw = {"os": look.read("/etc/os-release"), "version": look.command("/usr/bin/python3", "--version")}
    raw["pip3"] = look.command("/usr/bin/python3", "-m", "pip", "--version")
    with tempfile.TemporaryDirectory(prefix="vault-cube-venv-") as folder:
        python = f"{folder}/bin/python"
        raw["venv"] = look.command("/usr/bin/python3", "-m", "venv", "--without-pip", folder, timeout=120)
        raw["ensurepip"] = look.command(python, "-m", "ensurepip", "--version", timeout=60)
        wheel = next(iter(glob(WHEEL)), WHEEL)
        raw["pip"] = look.command(python, f"{wheel}/pip", "--version", timeout=60)
    return raw


def judge(raw: Raw, profile: Profile) -> Result:
    entry = distribution(raw["os"], profile)
    wanted = str(entry["python"]) if entry and entry.get("python") else None
    want = f"Python {wanted or '3'}, a venv and pip in it"
    version = raw["version"]["out"].strip().removeprefix("Python ")
    again = "Run layer 1 again."
    if raw["version"]["status"] or (wanted and not f"{version}.".startswith(f"{wanted}.")):
        return judged(False, version or said(raw["version"]), want, again)
    for key, what in TRIED.items():
        if raw[key]["status"]:
            return judged(
                False,
                f"{what}: {said(raw[key])}"[:300],
                want,
                again,
                evidence=raw[key]["out"] + raw[key]["err"],
            )
    return judged(
        True, version, want, again, evidence=raw["pip"]["out"], source="the profile" if wanted else None
    )
