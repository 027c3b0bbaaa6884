"""Failures lead to a ban in the kernel, and its release takes it away: with addresses that no machine has (RFC 5737, RFC 3849)."""

import time

from vcbox import process
from vcbox.checks.base import Look, Profile, Raw, Result, box_value, error, judged, said

ID, TITLE, SUITE, NEEDS = "t8_ban", "fail2ban bans and releases", "integration", 1
ADDRESSES = ("192.0.2.77", "2001:db8::77")
WAIT_SECONDS = 20.0


def client(*words: str) -> Raw:
    status, out, err = process.capture(["fail2ban-client", *words], 30)
    return {"status": status, "out": out, "err": err}


def in_kernel(address: str) -> bool:
    """Whether a rule of the firewall names the address, by whichever of its tools."""
    looks = (["nft", "list", "ruleset"], ["iptables-save"], ["ip6tables-save"])
    words = (
        " ".join(process.capture(argv, 30)[1] for argv in looks).replace(",", " ").replace("/", " ").split()
    )
    return address in words


def waited(address: str, there: bool) -> bool:
    """Whether the kernel's rules came to name the address, or not to."""
    deadline = time.monotonic() + WAIT_SECONDS
    while in_kernel(address) != there:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def one(address: str, retries: int) -> Raw:
    """The address fails once less than allowed, then once more, is banned, and is released."""
    raw: Raw = {"clean": waited(address, False)}
    for _ in range(retries - 1):
        client("set", "sshd", "attempt", address)
    raw["early"] = in_kernel(address)
    raw["last"] = client("set", "sshd", "attempt", address)
    raw["banned"] = waited(address, True)
    raw["status"] = client("status", "sshd")
    client("set", "sshd", "unbanip", address)
    raw["released"] = waited(address, False)
    return raw


def gather(look: Look) -> Raw:
    told = client("get", "sshd", "maxretry")
    if told["status"] or not told["out"].strip().isdigit():
        return {"jail": told, "tries": {}}
    try:
        return {"jail": told, "tries": {a: one(a, int(told["out"])) for a in ADDRESSES}}
    finally:
        for address in ADDRESSES:
            client("set", "sshd", "unbanip", address)


def judge(raw: Raw, profile: Profile) -> Result:
    retries, seconds = box_value(profile, "banMaxRetry"), box_value(profile, "banSeconds")
    want = f"{retries} failures ban for {seconds} s, release ends it"
    advice = "Look at `journalctl -u fail2ban`, then run layer 1 again."
    if not raw["tries"]:
        return judged(False, said(raw["jail"]), want, advice)
    wrong = (
        [] if raw["jail"]["out"].strip() == str(retries) else [f"{raw['jail']['out'].strip()} failures ban"]
    )
    for address, tried in raw["tries"].items():
        if not tried["clean"]:
            return error(f"{address} is in the firewall already", "Release it, then run the suite again.")
        wrong += [f"{address} is banned too early"] if tried["early"] else []
        wrong += [] if tried["banned"] else [f"{address} is not banned: {said(tried['last'])}"]
        wrong += [] if tried["released"] else [f"{address} stays banned"]
    value = "; ".join(wrong) or f"banned and released: {', '.join(raw['tries'])}"
    evidence = "\n".join(tried["status"]["out"] for tried in raw["tries"].values())
    return judged(not wrong, value, want, advice, evidence=evidence)
