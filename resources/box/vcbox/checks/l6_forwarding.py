"""sshd forwards nothing, for everybody and for the administrator's login, where that was asked for."""

from vcbox.checks import sshd_look
from vcbox.checks.base import Look, Profile, Raw, Result, box_value, error, judged, said
from vcbox.parsers.system import parse_sshd

ID, TITLE, LAYER = "l6_forwarding", "SSH forwarding", 6
WANTED = {
    "disableforwarding": "yes",
    "allowtcpforwarding": "no",
    "allowstreamlocalforwarding": "no",
    "permittunnel": "no",
}


def gather(look: Look) -> Raw:
    return sshd_look.gather(look)


def judge(raw: Raw, profile: Profile) -> Result:
    for told in raw.values():
        if told["status"]:
            return error(f"sshd -T: {said(told)}", "Mend the line that sshd names.")
    found = {where: parse_sshd(told["out"]) for where, told in raw.items()}
    open_ = [
        f"{keyword} {', '.join(settings.get(keyword, ['?']))}{' for the administrator' if where == 'login' else ''}"
        for where, settings in found.items()
        for keyword, value in WANTED.items()
        if settings.get(keyword) != [value]
    ]
    if not box_value(profile, "forwardingClosed"):
        return judged(
            True, "open, as wished" if open_ else "closed", "either: it was not asked to be closed", ""
        )
    return judged(
        not open_,
        "; ".join(open_) or "closed",
        "closed",
        "Close it again: run the part SSH forwarding of layer 6.",
    )
