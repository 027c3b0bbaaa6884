"""What a person has who runs this project by itself: the inventory's example, the documented variables and tests, other playbooks."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from project import ANSIBLE, REPO, ROLES, VENV, ansible_playbook, load

EXAMPLE = ANSIBLE / "examples" / "inventory"
README = (ANSIBLE / "README.md").read_text()
PLAYBOOKS = sorted(path.name for path in ANSIBLE.glob("*.yml"))
DEFAULTS: dict[str, Any] = {k: v for role in ROLES for k, v in load(role / "defaults" / "main.yml").items()}
# Of the playbooks themselves, and of Ansible.
SITE = {"vault_cube_environment", "vault_cube_serial", "ansible_become_password"}
# Rows of a table by the words above its columns.
Row = dict[str, str]


def table(*columns: str) -> list[Row]:
    lines = README.splitlines()
    start = lines.index(f"| {' | '.join(columns)} |")
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            return rows
        rows.append(dict(zip(columns, (cell.strip() for cell in line.strip("|").split(" | ")), strict=True)))
    return rows


def variables_of(path: Path) -> set[str]:
    """Variables that a file sets or shows commented out."""
    return set(re.findall(r"^(?:# )?([a-z]+_[a-z0-9_]+):", path.read_text(), re.MULTILINE))


def test_the_example_is_an_inventory_of_several_boxes_and_groups() -> None:
    listed = subprocess.run(
        [str(VENV / "bin" / "ansible-inventory"), "-i", str(EXAMPLE), "--list"], capture_output=True, text=True, check=True
    )
    inventory = json.loads(listed.stdout)
    hosts = inventory["_meta"]["hostvars"]
    assert len(hosts) >= 2 and len(inventory["all"]["children"]) >= 3
    assert {host["ansible_user"] for host in hosts.values()} == {"vaultadmin"}
    offline = [name for name in inventory["offline"]["hosts"] if "APT_CONFIG" in hosts[name]["vault_cube_environment"]]
    assert offline


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_playbooks_parse_with_the_example(tmp_path: Path, playbook: str) -> None:
    done = ansible_playbook(tmp_path, "--syntax-check", "-i", str(EXAMPLE), str(ANSIBLE / playbook))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr, done.stderr


def test_group_vars_name_variables_that_there_are() -> None:
    named = {name for path in EXAMPLE.rglob("group_vars/**/*.yml") for name in variables_of(path)}
    assert len(named) > 15
    assert named <= set(DEFAULTS) | SITE, named - set(DEFAULTS) - SITE


def test_secrets_lie_only_in_the_vault_file() -> None:
    for path in EXAMPLE.rglob("*.yml"):
        secret = variables_of(path) & {"ansible_become_password", "base_system_admin_password_hash"}
        assert not secret or path.name == "vault.yml"
        assert load(path) is None or path.name != "vault.yml", "the example holds no secret that works"


def test_every_variable_is_documented() -> None:
    rows = table("variable", "default", "what")
    names = [row["variable"].strip("`") for row in rows]
    assert sorted(names) == sorted(DEFAULTS)
    assert all(row["what"] for row in rows)


def test_every_play_is_documented() -> None:
    rows = table("play", "tag", "role", "what")
    plays = [play for name in ("bundle.yml", "site.yml") for play in load(ANSIBLE / name)]
    assert [(r["play"], r["tag"], r["role"]) for r in rows] == [
        (play["name"], f"`{play['tags'][0]}`", f"`{play['roles'][0]['role']}`") for play in plays
    ]


def test_host_keys_are_checked() -> None:
    config = (ANSIBLE / "ansible.cfg").read_text()
    assert "host_key_checking = True" in config
    assert "StrictHostKeyChecking" not in config


def names_in(path: Path) -> list[str]:
    text = path.read_text()
    if path.suffix == ".py":
        return re.findall(r"^def (test_\w+)", text, re.MULTILINE)
    # The name stands behind it( or behind the table of it.each( … )(.
    return re.findall(r"(?:\b(?:it|byHand)\(|\)\()\s*'((?:[^'\\]|\\.)+)'", text)


def test_the_role_tests_are_there_and_enough() -> None:
    """T9: every role's idempotency, and the services of those that have some; by name, as README lists them."""
    rows = table("role", "about", "test", "in")
    assert len({(row["test"], row["in"]) for row in rows}) >= 20
    for row in rows:
        path = REPO / row["in"].strip("`")
        assert row["test"].strip("`") in names_in(path), row
        assert row["about"] in ("idempotency", "services", "refusal", "mending", "way back"), row
    about = {(role, row["about"]) for row in rows for role in row["role"].replace("`", "").split(", ")}
    assert {role for role, _ in about} == {role.name for role in ROLES}
    serving = {role.name for role in ROLES if any("systemd_service" in p.read_text() for p in role.rglob("*.yml"))}
    assert serving >= {"base_system", "driver_stack", "gpu_runtime", "access_hardening"}
    missing = [role.name for role in ROLES if (role.name, "idempotency") not in about]
    assert not missing, missing
    assert not [name for name in serving if (name, "services") not in about]
