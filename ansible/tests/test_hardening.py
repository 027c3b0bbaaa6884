"""Decisions of layer 6 that no rig box can reach, and that checks and rules name the same things."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from project import ANSIBLE, DISTRIBUTIONS, REPO, load, try_tasks
from vcbox.checks import l6_aide_database, l6_audit_rules, l6_forwarding, l6_openscap

ROLE = ANSIBLE / "roles" / "extended_hardening"
VARS = load(ROLE / "vars" / "main.yml")
EXPECTED = ANSIBLE / "tests" / "expected"
FORWARDING = ANSIBLE / "roles" / "ssh_forwarding"
RECORDED = REPO / "tests" / "fixtures" / "hardening-debian-13"
SCRIPT = (EXPECTED / "debian-13" / "vault-cube-openscap").read_text()


FILES = [ROLE / "defaults" / "main.yml", ROLE / "vars" / "main.yml"]


def run(folder: Path, hosts: dict[str, dict[str, Any]], tasks: list[dict[str, Any]]) -> Any:
    return try_tasks(folder, FILES, hosts, tasks)


def test_the_check_looks_for_the_rules_that_the_role_lays() -> None:
    paths: dict[str, set[str]] = {}
    for part in ("files", "folders"):
        for key, found in VARS[f"extended_hardening_audit_{part}"].items():
            paths.setdefault(key, set()).update(found)
    wanted = {k: {*l6_audit_rules.PATHS.get(k, []), *l6_audit_rules.IF_THERE.get(k, [])} for k in paths}
    assert wanted == paths and set(l6_audit_rules.PATHS) | set(l6_audit_rules.IF_THERE) == set(paths)
    rules = (EXPECTED / "debian-13" / "audit.rules").read_text()
    calls = [line for line in rules.splitlines() if " -S " in line or "key=privileged" in line]
    assert {re.search(r"key=(\S+)$", line)[1] for line in calls} == set(l6_audit_rules.KEYS)


def test_checks_and_roles_name_the_same_files() -> None:
    assert VARS["extended_hardening_database"] == l6_aide_database.PATH
    assert VARS["extended_hardening_results"] == l6_openscap.FOLDER
    assert load(ROLE / "defaults" / "main.yml")["extended_hardening_scap_profile"] == l6_openscap.PROFILE
    effective = load(FORWARDING / "vars" / "main.yml")["ssh_forwarding_effective"]
    assert effective == [f"{word} {value}" for word, value in l6_forwarding.WANTED.items()]


def test_rules_that_a_kernel_has_taken_are_told_from_missing_ones(tmp_path: Path) -> None:
    """Held are all that have one of the role's keys, whoever else has rules there."""
    held = (RECORDED / "auditctl-l.txt").read_text().splitlines()
    cases = {"whole": (held, len(held)), "foreign": ([*held, "-w /srv -p wa -k site"], len(held)), "none": (["No rules"], 0)}
    hosts = {
        name: {
            "extended_hardening_audit_kernel": {"stdout_lines": lines},
            "extended_hardening_audit_wanted": (EXPECTED / "debian-13" / "audit.rules").read_text().splitlines(),
        }
        for name, (lines, _) in cases.items()
    }
    copy = {"content": "{{ extended_hardening_audit_held | length }}", "dest": f"{tmp_path}/{{{{ inventory_hostname }}}}"}
    done = run(tmp_path, hosts, [{"name": "Show", "ansible.builtin.copy": {**copy, "mode": "0600"}}])
    assert done.returncode == 0, done.stdout + done.stderr
    assert {name: int((tmp_path / name).read_text()) for name in cases} == {name: n for name, (_, n) in cases.items()}


def test_only_profiles_that_are_not_as_shipped_are_enforced(tmp_path: Path) -> None:
    shipped = (RECORDED / "conffiles.txt").read_text().splitlines()
    as_shipped = "e5ae1333886f1bead76b451a30cdc792  /etc/apparmor.d/unix-chkpwd"
    edited, own = "0" * 32 + "  /etc/apparmor.d/Xorg", "1" * 32 + "  /etc/apparmor.d/usr.bin.site"
    hosts = {
        "box": {
            "extended_hardening_apparmor_hashes": {"stdout_lines": [as_shipped, edited, own]},
            "extended_hardening_apparmor_conffiles": {"stdout_lines": shipped},
        }
    }
    copy = {"content": "{{ extended_hardening_apparmor_weakened | to_json }}", "dest": f"{tmp_path}/out", "mode": "0600"}
    done = run(tmp_path, hosts, [{"name": "Show", "ansible.builtin.copy": copy}])
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "out").read_text()) == ["/etc/apparmor.d/Xorg", "/etc/apparmor.d/usr.bin.site"]


def test_lines_that_open_forwarding_again() -> None:
    pattern = re.compile(load(FORWARDING / "vars" / "main.yml")["ssh_forwarding_foreign_pattern"], re.IGNORECASE)
    for line in ("AllowTcpForwarding yes", "  allowtcpforwarding local", "DisableForwarding=no", "PermitTunnel point-to-point"):
        assert pattern.match(line), line
    for line in ("#AllowTcpForwarding yes", "AllowTcpForwarding no", "DisableForwarding yes ", "X11Forwarding yes"):
        assert not pattern.match(line), line


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_packages(distribution: str) -> None:
    names = load(ROLE / "vars" / f"{distribution}.yml")["extended_hardening_packages"]
    content = {"debian-13": "ssg-debian", "ubuntu-24.04": "ssg-debderived"}[distribution]
    assert names == sorted(names) and {"auditd", "aide", "aide-common", "apparmor", "openscap-scanner", content} <= set(names)


# What the stand-in for oscap finds in the content, what it ends with, whether it leaves a result; the script's status and word.
EVALUATIONS: list[tuple[str, int, bool, int, str]] = [
    ("cis_level1_server", 0, True, 0, "-report.html"),
    ("cis_level1_server", 2, True, 0, "-report.html"),
    ("cis_level1_server", 1, True, 1, "status 1: no result"),
    ("cis_level1_server", 0, False, 1, "status 0: no result"),
    ("standard", 0, True, 3, "has no profile"),
]


@pytest.mark.parametrize(("profile", "status", "leaves", "code", "word"), EVALUATIONS)
def test_the_script_tells_results_from_none(
    tmp_path: Path, profile: str, status: int, leaves: bool, code: int, word: str
) -> None:
    content = tmp_path / "ds.xml"
    content.write_text("x")
    group = subprocess.run(["id", "-gn"], capture_output=True, text=True, check=True).stdout.strip()
    text = SCRIPT.replace("content=''", f"content='{content}'", 1).replace("chgrp vaultcube", f"chgrp {group}")
    (tmp_path / "script").write_text(text.replace("/var/lib/vault-cube/openscap", str(tmp_path / "out")))
    (tmp_path / "out").mkdir()
    (tmp_path / "oscap").write_text(
        f"#!/bin/sh\nif [ $1 = info ]; then echo xccdf_org.ssgproject.content_profile_{profile}:Title; exit; fi\n"
        + ('echo a >"$6"; echo r >"$8"\n' if leaves else "")
        + f"exit {status}\n"
    )
    (tmp_path / "oscap").chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", tmp_path / "script"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == code and word in done.stdout + done.stderr
    names = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert len(names) == (4 if code == 0 else 0) and (code or names[2:] == ["latest-arf.xml", "latest-report.html"])


def test_the_script_knows_its_arguments(tmp_path: Path) -> None:
    (tmp_path / "script").write_text(SCRIPT)
    for args, code in ((["--help"], 2), (["--offered"], 3)):
        done = subprocess.run(["sh", tmp_path / "script", *args], capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
