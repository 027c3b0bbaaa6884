"""Every template, rendered by Ansible itself with the facts of each distribution, is word for word what expected/ holds.

The Ubuntu half is all that has been done with these templates for Ubuntu: no run on a real Ubuntu box is behind it.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from project import ANSIBLE, DISTRIBUTIONS, ROLES, ansible_playbook, load

HERE = Path(__file__).parent
CUSTOMER = {"features": {"buildkit": True}, "log-opts": {"labels": "site"}, "runtimes": {"nvidia": {"path": "n"}}}

# ufw's chains in the kernel as it makes them, and after somebody flushed all rules: the chains are there, the ways into them not.
CHAINS = [f"{part}-{hook}" for hook in ("input", "output", "forward") for part in ("before", "reject")]
FLUSHED = "\n".join(["*filter", ":INPUT ACCEPT [0:0]", *(f":ufw6-{chain} - [0:0]" for chain in CHAINS), "COMMIT"])
WHOLE = FLUSHED.replace("ufw6", "ufw").replace(
    "COMMIT", "\n".join(f"-A {chain.split('-')[1].upper()} -j ufw-{chain}" for chain in CHAINS)
)

# The persistence daemon's unit as Ubuntu's package has it, and as one whose daemon keeps the cards awake.
UNIT = ["# /usr/lib/systemd/system/nvidia-persistenced.service", "[Service]", "Type=forking"]
ASLEEP = [*UNIT, "ExecStart=/usr/bin/nvidia-persistenced --user nvidia-persistenced --no-persistence-mode --verbose"]
AWAKE = [*UNIT, "ExecStart=/usr/bin/nvidia-persistenced --verbose"]

# Output file, template, and variables that differ from the defaults.
CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("daemon.json", "base_system/daemon.json.j2", {}),
    (
        "daemon-merged.json",
        "base_system/daemon.json.j2",
        {"base_system_daemon_json": {"stdout": "{{ customer | to_json }}"}},
    ),
    ("fail2ban.local", "base_system/fail2ban.local.j2", {}),
    (
        "fail2ban-ignore.local",
        "base_system/fail2ban.local.j2",
        {"base_system_fail2ban_ignoreip": ["192.0.2.0/24", "2001:db8::1"], "base_system_fail2ban_bantime": 60},
    ),
    ("pending-updates.conf", "base_system/pending-updates.conf.j2", {}),
    ("pending-updates.sh", "base_system/pending-updates.sh.j2", {}),
    ("unattended-upgrades", "base_system/unattended-upgrades.j2", {}),
    ("docker-user.rules", "access_hardening/docker-user.rules.j2", {}),
    ("docker-user-grafana.rules", "access_hardening/docker-user.rules.j2", {"access_hardening_allow_grafana": True}),
    ("ufw-jumps-none.rules", "access_hardening/ufw-jumps.rules.j2", {"item": {"item": "iptables", "stdout": WHOLE}}),
    ("ufw-jumps.rules", "access_hardening/ufw-jumps.rules.j2", {"item": {"item": "ip6tables", "stdout": FLUSHED}}),
    ("nvidia-modprobe.conf", "driver_stack/modprobe.conf.j2", {}),
    (
        "nvidia-persistenced.conf",
        "driver_stack/persistenced.conf.j2",
        {"driver_stack_persistenced": {"stdout_lines": ASLEEP}},
    ),
    (
        "nvidia-persistenced-awake.conf",
        "driver_stack/persistenced.conf.j2",
        {"driver_stack_persistenced": {"stdout_lines": AWAKE}},
    ),
    ("nvidia-unattended-upgrades", "driver_stack/unattended-upgrades.j2", {}),
    ("gpu-containerd.toml", "gpu_runtime/containerd.toml.j2", {}),
    ("gpu-daemon.json", "gpu_runtime/daemon.json.j2", {}),
    (
        "gpu-daemon-merged.json",
        "gpu_runtime/daemon.json.j2",
        {"gpu_runtime_daemon_json": {"stdout": "{{ customer | to_json }}"}},
    ),
    ("bundle-apt.conf", "site_bundle/apt.conf.j2", {}),
    ("bundle-sources.list", "site_bundle/sources.list.j2", {}),
    ("monitor.sh", "monitoring/monitor.sh.j2", {}),
    (
        "vault-cube-test-gpu",
        "monitoring/vault-cube-test.sh.j2",
        {"item": {"key": "vault-cube-test-gpu", "value": "gpu-detection"}},
    ),
    (
        "audit.rules",
        "extended_hardening/audit.rules.j2",
        {"extended_hardening_audit_there": ["/etc/ssh", "/etc/netplan", "/etc/apparmor.d", "/etc/apparmor"]},
    ),
    ("audit-final.rules", "extended_hardening/audit-final.rules.j2", {}),
    (
        "audit-final-locked.rules",
        "extended_hardening/audit-final.rules.j2",
        {"extended_hardening_audit_immutable": True},
    ),
    ("aide.conf", "extended_hardening/aide.conf.j2", {}),
    ("vault-cube-openscap", "extended_hardening/vault-cube-openscap.sh.j2", {}),
    ("sshd-forwarding.conf", "ssh_forwarding/sshd.conf.j2", {}),
    ("sshd.conf", "access_hardening/sshd.conf.j2", {}),
    ("sshd-two-ports.conf", "access_hardening/sshd.conf.j2", {"access_hardening_extra_port": 2222}),
]


def play(distribution: str, folder: Path) -> dict[str, Any]:
    """One task for all templates: a task for each would take a minute."""
    role_vars = [str(role / "defaults" / "main.yml") for role in ROLES]
    role_vars += [str(role / "vars" / "main.yml") for role in ROLES]
    for name in ("base_system", "extended_hardening"):
        role_vars.append(str(ANSIBLE / "roles" / name / "vars" / f"{distribution}.yml"))
    facts = json.loads((HERE / "facts" / f"{distribution}.json").read_text())
    texts = {"map": "{{ base_system_distribution }}"}
    for name, template, _ in CASES:
        role, file = template.split("/")
        src = str(ANSIBLE / "roles" / role / "templates" / file)
        texts[name] = f"{{{{ lookup('ansible.builtin.template', {src!r}, template_vars=changed[{name!r}]) }}}}"
    given = {"customer": CUSTOMER, "changed": {name: changed for name, _, changed in CASES}}
    out = {"content": "{{ texts | to_json }}", "dest": str(folder / f"{distribution}.out"), "mode": "0600"}
    tasks = [
        {"name": "Facts", "ansible.builtin.set_fact": {**facts, "cacheable": True}},
        {"name": "Render", "ansible.builtin.copy": out, "vars": {"texts": texts}},
    ]
    common = {"name": "Render", "gather_facts": False, "vars_files": role_vars, "vars": given}
    return {**common, "hosts": distribution, "tasks": tasks}


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    folder = tmp_path_factory.mktemp("render")
    (folder / "render.yml").write_text(yaml.safe_dump([play(name, folder) for name in DISTRIBUTIONS], sort_keys=False))
    done = ansible_playbook(folder, "-c", "local", "-i", f"{','.join(DISTRIBUTIONS)},", "render.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: json.loads((folder / f"{name}.out").read_text()) for name in DISTRIBUTIONS}


@pytest.fixture(scope="module", params=DISTRIBUTIONS)
def rendered(request: pytest.FixtureRequest, every: dict[str, dict[str, str]]) -> tuple[str, dict[str, str]]:
    return request.param, every[request.param]


@pytest.mark.parametrize("name", [case[0] for case in CASES])
def test_the_text_is_as_expected(rendered: tuple[str, dict[str, str]], name: str) -> None:
    distribution, texts = rendered
    assert texts[name] == (HERE / "expected" / distribution / name).read_text()


def test_the_facts_lead_to_the_package_map(rendered: tuple[str, dict[str, str]]) -> None:
    distribution, texts = rendered
    assert texts["map"] == distribution
    assert distribution in load(ANSIBLE / "roles" / "base_system" / "vars" / "main.yml")["base_system_distributions"]


def test_no_template_is_left_out() -> None:
    there = {f"{role.name}/{path.name}" for role in ROLES for path in (role / "templates").glob("*.j2")}
    assert there == {template for _, template, _ in CASES}


def test_no_expected_file_is_left_over() -> None:
    names = {case[0] for case in CASES}
    for distribution in DISTRIBUTIONS:
        assert {path.name for path in (HERE / "expected" / distribution).iterdir()} == names
