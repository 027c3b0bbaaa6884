"""The box was compared with CIS level 1, where there is such a benchmark for its distribution."""

import os
import re

from vcbox.checks.base import Look, Profile, Raw, Result, error, judged, not_supported
from vcbox.parsers.hardening import parse_arf
from vcbox.parsers.system import parse_os_release

ID, TITLE, LAYER = "l6_openscap", "Compared with CIS level 1", 6
FOLDER = "/var/lib/vault-cube/openscap"
CONTENT = "/usr/share/xml/scap/ssg/content"
PROFILE = "cis_level1_server"
RUN = "Run it: sudo vault-cube-openscap"
JUDGED = ("pass", "fail", "fixed")


def gather(look: Look) -> Raw:
    """`content`: the distribution's own benchmark, `offers`: whether this profile is in it, `result`: the newest evaluation."""
    found = parse_os_release(look.read("/etc/os-release") or "")
    content = f"{CONTENT}/ssg-{found.get('ID', '')}{found.get('VERSION_ID', '').replace('.', '')}-ds.xml"
    text = look.read(content)
    names = os.listdir(FOLDER) if os.path.isdir(FOLDER) else []
    newest = max((n for n in names if re.fullmatch(r"\d.*-arf\.xml", n)), default=None)
    raw: Raw = {"content": content, "offers": f"profile_{PROFILE}" in (text or ""), "there": text is not None}
    raw |= {"newest": newest, "result": None, "why": None, "report": None, "open": None}
    if newest:
        report = f"{FOLDER}/{newest.removesuffix('arf.xml')}report.html"
        try:
            raw["result"] = parse_arf(f"{FOLDER}/{newest}")
            raw["report"] = os.path.getsize(report) > 0
            raw["open"] = look.command("runuser", "-u", look.admin, "--", "test", "-r", report)["status"] == 0
        except (OSError, ValueError) as e:
            raw["why"] = str(e)
    return raw


def judge(raw: Raw, profile: Profile) -> Result:
    want = "a result that the administrator can read"
    if raw["why"]:
        return error(f"the newest result cannot be read: {raw['why']}"[:500], RUN)
    if not raw["newest"]:
        if raw["offers"]:
            return judged(False, "never compared", want, RUN)
        why = f"it has no profile {PROFILE}" if raw["there"] else "it is not there"
        return not_supported(
            f"the distribution's packages offer no CIS benchmark for it ({raw['content']}: {why})"
        )
    result = raw["result"]
    judged_rules = sum(result["results"].get(word, 0) for word in JUDGED)
    if judged_rules == 0:
        value = f"{raw['newest']}: none of {sum(result['results'].values())} rules applies to this box"
        return judged(
            False,
            value,
            "content for this distribution",
            "Set extended_hardening_scap_content to content for it, or to nothing.",
        )
    if not raw["open"]:
        return judged(
            False, f"{raw['newest']}: the administrator cannot read the report", want, "Run layer 6 again."
        )
    value = f"{result['results'].get('pass', 0)} of {judged_rules} rules met, {result['end'][:10]}"
    evidence = "\n".join(f"{word} {count}" for word, count in sorted(result["results"].items()))
    return Result("pass", value, threshold=want, source=result["profile"], evidence=evidence)
