"""Judges of layer 6. What auditctl and the kernel's list of profiles say was recorded in a virtual machine with Debian 13's own kernel."""

from pathlib import Path
from typing import Any

import pytest
from vcbox import checks
from vcbox.checks import l6_audit_rules
from vcbox.checks.base import Result
from vcbox.parsers.hardening import (
    complaining,
    parse_apparmor,
    parse_arf,
    parse_audit_rules,
    parse_audit_status,
    parse_conffiles,
)

from conftest import FIXTURES
from items import assert_item, judged
from test_checks import UFW_GOOD, firewall, ran

RECORDED = FIXTURES / "hardening-debian-13"
RULES = (RECORDED / "auditctl-l.txt").read_text()
STATUS = (RECORDED / "auditctl-s.txt").read_text()
PROFILES = (RECORDED / "apparmor-profiles.txt").read_text()
# What the distribution ships complaining, but for those of other packages than the recorded one.
SHIPPED = [n for n, mode in parse_apparmor(PROFILES).items() if mode == "complain" and "//" not in n]
GRAFANA = UFW_GOOD + "3000/tcp   ALLOW IN   Anywhere\n"
REFUSED = ran("", 255, "Error - audit support not in kernel")


def judge(id: str, raw: dict[str, Any], **box: Any) -> Result:
    return judged(id, raw, {"box": box})


def auditd(status: str = STATUS, enabled: str = "enabled") -> dict[str, Any]:
    return {"told": ran(status), "container": False, "enabled": enabled}


def rules(text: str = RULES) -> dict[str, Any]:
    return {"told": ran(text), "container": False}


def without(words: str) -> str:
    return "\n".join(line for line in RULES.splitlines() if words not in line)


def apparmor(**change: Any) -> dict[str, Any]:
    good = {
        "on": "Y",
        "container": False,
        "profiles": PROFILES,
        "boot": "enabled",
        "shipped": SHIPPED,
        "files": SHIPPED,
    }
    return {**good, **change}


def daily(**change: Any) -> dict[str, Any]:
    good = {
        "is-enabled": "enabled",
        "is-active": "active",
        "failed": False,
        "compared": 9e8,
        "database": 1e8,
        "now": 9e8 + 3600,
    }
    return {**good, **change}


def database(**change: Any) -> dict[str, Any]:
    return {"why": None, "size": 4_000_000, "first": "1f8b", "open": False, **change}


def scap(**change: Any) -> dict[str, Any]:
    result = {
        "profile": "xccdf_x_cis_level1_server",
        "end": "2026-11-28T19:14:03+00:00",
        "results": {"pass": 150, "fail": 50, "notapplicable": 156},
    }
    good = {
        "content": "ssg-ubuntu2404-ds.xml",
        "there": True,
        "offers": True,
        "newest": "2026-11-28T191403Z-arf.xml",
    }
    return {**good, "result": result, "why": None, "report": True, "open": True, **change}


def sshd(**login: str) -> dict[str, Any]:
    closed = {
        "disableforwarding": "yes",
        "allowtcpforwarding": "no",
        "allowstreamlocalforwarding": "no",
        "permittunnel": "no",
    }
    text, other = ("".join(f"{k} {v}\n" for k, v in d.items()) for d in (closed, {**closed, **login}))
    return {"global": ran(text), "login": ran(other)}


# Check, as it should be, broken, and a word that the verdict on the broken one must say.
TABLE: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("l6_auditd", auditd(), auditd(STATUS.replace("enabled 1", "enabled 0")), "does not record"),
    ("l6_auditd", auditd(), auditd(STATUS.replace("pid 278", "pid 0")), "no daemon"),
    ("l6_auditd", auditd(), auditd(enabled="disabled"), "disabled"),
    ("l6_auditd", auditd(), {**auditd(), "told": REFUSED}, "not in kernel"),
    ("l6_audit_rules", rules(), rules("No rules\n"), "/etc/apparmor.d (MAC-policy, b32)"),
    ("l6_audit_rules", rules(), rules(without("path=/etc/shadow ")), "/etc/shadow (identity, b64)"),
    ("l6_audit_rules", rules(), rules(without("arch=b32 -S init_module")), "kernel_modules (b32)"),
    ("l6_audit_rules", rules(), {**rules(), "told": ran("", 127, "no auditctl")}, "no auditctl"),
    ("l6_apparmor", apparmor(), apparmor(on="N", profiles=None), "off in the kernel"),
    ("l6_apparmor", apparmor(), apparmor(files=[*SHIPPED, "lsb_release"]), "lsb_release"),
    (
        "l6_apparmor",
        apparmor(),
        apparmor(profiles=PROFILES.replace("lsb_release (enforce)", "lsb_release (complain)")),
        "lsb_release",
    ),
    (
        "l6_apparmor",
        apparmor(),
        apparmor(profiles=PROFILES.replace("(enforce)", "(unconfined)")),
        "no profile is enforced",
    ),
    ("l6_apparmor", apparmor(), apparmor(boot="masked"), "masked"),
    ("l6_aide_database", database(), {"why": "No such file or directory"}, "No such file"),
    ("l6_aide_database", database(), database(size=0, first=""), "no database"),
    ("l6_aide_database", database(), database(open=True), "others may write"),
    ("l6_aide_daily", daily(), daily(**{"is-active": "inactive"}), "inactive"),
    ("l6_aide_daily", daily(), daily(failed=True), "failed"),
    ("l6_aide_daily", daily(), daily(now=9e8 + 4 * 86_400), "4.0 days"),
    ("l6_aide_daily", daily(), daily(compared=None, database=None), "never"),
    ("l6_openscap", scap(), scap(newest=None, result=None), "never compared"),
    ("l6_openscap", scap(), scap(open=False), "cannot read"),
    ("l6_grafana", firewall(UFW_GOOD), firewall(GRAFANA), "3000/tcp ALLOW IN"),
    (
        "l6_forwarding",
        sshd(),
        sshd(allowtcpforwarding="yes", disableforwarding="no"),
        "for the administrator",
    ),
]


@pytest.mark.parametrize(("id", "good", "bad", "word"), TABLE)
def test_each_item(id: str, good: dict[str, Any], bad: dict[str, Any], word: str) -> None:
    assert_item(judge, id, good, bad, word)


def test_every_check_is_in_the_table() -> None:
    assert {row[0] for row in TABLE} == set(checks.LAYER_CHECKS[6])


def test_what_a_container_cannot_have_is_not_supported_and_never_passes() -> None:
    for id in ("l6_auditd", "l6_audit_rules"):
        found = judge(id, {"told": REFUSED, "container": True, "enabled": "disabled"})
        assert found.verdict == "not_supported" and "not in kernel" in str(found.reason)
    # Without the program it is not the container's fault.
    assert (
        judge("l6_auditd", {"told": ran("", 127, "none"), "container": True, "enabled": ""}).verdict == "fail"
    )
    unseen = apparmor(on="", container=True, profiles=None)
    assert judge("l6_apparmor", unseen).verdict == "not_supported"
    assert judge("l6_apparmor", {**unseen, "files": [*SHIPPED, "nvidia_modprobe"]}).verdict == "fail"


def test_a_distribution_without_a_benchmark_is_told_as_that() -> None:
    for change, word in (({"there": False}, "not there"), ({}, "no profile")):
        found = judge("l6_openscap", scap(newest=None, result=None, offers=False, **change))
        assert found.verdict == "not_supported" and word in str(found.reason)


def test_content_of_another_distribution_is_no_result() -> None:
    found = judge(
        "l6_openscap",
        scap(result={"profile": "p", "end": "e", "results": {"notapplicable": 356, "notselected": 108}}),
    )
    assert found.verdict == "fail" and "none of 464 rules" in str(found.value)


def test_a_torn_result_is_an_error() -> None:
    assert judge("l6_openscap", scap(result=None, why="no element found")).verdict == "error"


def test_what_is_wished_for_is_no_finding() -> None:
    assert judge("l6_grafana", firewall(GRAFANA), grafana=True).verdict == "pass"
    assert judge("l6_grafana", firewall(UFW_GOOD), grafana=True).verdict == "fail"
    assert judge("l6_grafana", firewall("Status: inactive\n")).verdict == "not_run"
    assert judge("l1_ufw_nothing_else", firewall(GRAFANA), grafana=True).verdict == "pass"
    assert judge("l1_ufw_nothing_else", firewall(GRAFANA)).verdict == "fail"
    opened = sshd(allowtcpforwarding="yes", disableforwarding="no")
    assert judge("l6_forwarding", opened, forwardingClosed=False).verdict == "pass"


def test_old_watch_rules_count_for_both_architectures() -> None:
    assert parse_audit_rules("-w /etc/ssh -p wa -k sshd\n") == [{"path": "/etc/ssh", "key": "sshd"}]
    text = without("dir=/etc/ssh ") + "\n-w /etc/ssh -p wa -k sshd\n"
    assert l6_audit_rules.missing(text) == []


def test_what_auditctl_and_the_kernel_say() -> None:
    assert parse_audit_status(STATUS)["backlog_limit"] == "8192"
    assert len(parse_audit_rules(RULES)) == len(RULES.splitlines()) == 96
    modes = list(parse_apparmor(PROFILES).values())
    assert {mode: modes.count(mode) for mode in set(modes)} == {
        "enforce": 3,
        "complain": 23,
        "unconfined": 76,
    }


def test_profiles_that_complain_by_their_file() -> None:
    attached = (
        "abi <abi/4.0>,\n\nprofile unix-chkpwd /{,usr/}{,s}bin/unix_chkpwd flags=(complain) {\n  include x\n"
    )
    assert complaining(attached) == ["unix-chkpwd"]
    assert complaining('profile "a b" /usr/bin/x flags=(attach_disconnected, complain) {\n') == ["a b"]
    assert complaining("# profile x flags=(complain) {\nprofile y flags=(unconfined) {\n") == []
    hashes = parse_conffiles((RECORDED / "conffiles.txt").read_text())
    assert hashes["/etc/apparmor.d/unix-chkpwd"] == "e5ae1333886f1bead76b451a30cdc792"


ARF = """<arf:a xmlns:arf="urn:a" xmlns="http://checklists.nist.gov/xccdf/1.2"><arf:reports><TestResult id="t" end-time="2026-11-28T19:14:03+00:00">
<profile idref="xccdf_p"/>{rules}</TestResult></arf:reports></arf:a>"""
RULE = '<rule-result idref="r"><result>{0}</result></rule-result>'


def test_an_evaluation_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "arf.xml"
    path.write_text(ARF.replace("{rules}", "".join(RULE.format(word) for word in ("pass", "fail", "pass"))))
    assert parse_arf(str(path)) == {
        "profile": "xccdf_p",
        "end": "2026-11-28T19:14:03+00:00",
        "results": {"pass": 2, "fail": 1},
    }
    for broken in (path.read_text()[:200], "<a/>"):
        path.write_text(broken)
        with pytest.raises(ValueError, match="arf.xml"):
            parse_arf(str(path))
