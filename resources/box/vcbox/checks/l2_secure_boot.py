"""Secure Boot lets the modules in: it is off, or the key that signs them is enrolled."""

from pathlib import Path

from vcbox.checks.base import Look, Profile, Raw, Result, judged

ID, TITLE, LAYER = "l2_secure_boot", "Secure Boot lets the modules in", 2
VARIABLE = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
KEYS = ("/var/lib/shim-signed/mok/MOK.der", "/var/lib/dkms/mok.pub")


def gather(look: Look) -> Raw:
    """`state` is the variable's last byte, None where the firmware has no such variable; `keys` what mokutil says of each key."""
    try:
        state = Path(VARIABLE).read_bytes()[-1]
    except (OSError, IndexError):
        return {"state": None, "keys": {}}
    keys = {
        key: look.command("mokutil", "--test-key", key)["out"].strip() for key in KEYS if Path(key).exists()
    }
    return {"state": state, "keys": keys}


def judge(raw: Raw, profile: Profile) -> Result:
    want = "off, or the modules' key enrolled"
    if raw["state"] != 1:
        return judged(True, "off" if raw["state"] == 0 else "the firmware has none", want, "")
    enrolled = [key for key, said in raw["keys"].items() if "is already enrolled" in said]
    value = f"on; {enrolled[0]} is enrolled" if enrolled else "on, and no key of the modules is enrolled"
    advice = "Run layer 2: it names the steps at the box's console."
    return judged(bool(enrolled), value, want, advice, evidence="\n".join(raw["keys"].values()))
