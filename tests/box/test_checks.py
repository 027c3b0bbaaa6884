"""Judges are pure: each is given what a look gathered, once as it should be and once broken."""

import importlib
import json
import pkgutil
from typing import Any

import pytest
from vcbox import checks
from vcbox.checks.base import Look, Result, run_check
from vcbox.parsers.ufw import parse_status

from conftest import Box
from gpu_raw import PROFILE
from items import assert_item, judged
from shape import validate


def ran(out: str = "", status: int = 0, err: str = "") -> dict[str, Any]:
    return {"status": status, "out": out, "err": err}


def judge(id: str, raw: dict[str, Any], profile: dict[str, Any] = PROFILE) -> Result:
    return judged(id, raw, profile)


UFW_GOOD = (
    "Status: active\nDefault: deny (incoming), allow (outgoing), disabled (routed)\n\nTo  Action  From\n--  ------  ----\n"
    "22/tcp                     ALLOW IN    Anywhere\n22/tcp (v6)                ALLOW IN    Anywhere (v6)\n"
)


def firewall(text: str) -> dict[str, Any]:
    return {**ran(text), "ufw": parse_status(text)}


def kernel(
    status: str = UFW_GOOD, *, input: str = "DROP [0:0]", rules: str = "", way: str = "ufw-before-input"
) -> dict[str, Any]:
    """What `l1_ufw_active` looks at, both IP versions alike but for the names of ufw's chains."""
    text = f"*filter\n:INPUT {input}\n-A INPUT -j {way}\n{rules}COMMIT\n"
    six = text.replace("ufw-", "ufw6-")
    return {"ufw": firewall(status), "kernel": {"iptables": ran(text), "ip6tables": ran(six)}}


def sshd(**change: str) -> dict[str, Any]:
    settings = {
        "port": "22",
        "permitrootlogin": "no",
        "passwordauthentication": "no",
        "kbdinteractiveauthentication": "no",
        "pubkeyauthentication": "yes",
        "allowusers": "vaultadmin",
    }
    text = "".join(f"{k} {v}\n" for k, v in {**settings, **change}.items())
    return {"global": ran(text), "login": ran(text)}


APT = (
    'APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "1";\n'
    'Unattended-Upgrade::Origins-Pattern:: "origin=Debian,label=Debian-Security";\n'
    'Unattended-Upgrade::Automatic-Reboot "false";\n'
)
OTHERS = {
    "config": ran(APT),
    "daily": ran("{ path=/usr/local/sbin/vault-cube-pending-updates ; ignore_errors=yes }\n"),
    "announcer": True,
}
FILTER = (
    "*filter\n:FORWARD DROP [0:0]\n:DOCKER-USER - [0:0]\n-A FORWARD -j DOCKER-USER\n"
    "-A DOCKER-USER -m conntrack --ctstate DNAT -j DROP\n-A DOCKER-USER -j RETURN\nCOMMIT\n"
)
RULES = ran("User vaultadmin may run the following commands on box:\n    (ALL : ALL) ALL\n")
PASSWD = "vaultadmin:x:1000:1000::/home/vaultadmin:/bin/bash\n"
SS = 'LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=1,fd=3))\n'
PACKAGES = "\n".join(
    f"{name} installed" for name in importlib.import_module("vcbox.checks.l1_packages").WANTED
)
OS = "ID=debian\nVERSION_ID=13\n"
PYTHON = {
    "os": OS,
    "version": ran("Python 3.13.5\n"),
    "pip3": ran("pip"),
    "venv": ran(),
    "ensurepip": ran("pip 25"),
    "pip": ran("pip 25"),
}
LIMITS = {"maxretry": ran("5\n"), "findtime": ran("600\n"), "bantime": ran("600\n")}
DROPIN = {
    "names": ["00-vault-cube.conf", "50-cloud-init.conf"],
    "main": "# x\nInclude /etc/ssh/sshd_config.d/*.conf\n",
}
DOCKER = json.dumps({"ServerVersion": "26.1"})

# Check, as it should be, broken, and a word that the verdict on the broken one must say.
TABLE: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("l0_ansible", ran("ansible [core 2.19.14]\n"), ran(status=127, err="no such file"), "no such file"),
    (
        "l1_packages",
        ran(PACKAGES),
        ran(PACKAGES.replace("curl installed", "curl half-configured")),
        "curl (half-configured)",
    ),
    ("l1_admin_user", ran(PASSWD), ran(PASSWD.replace("1000:", "1001:", 1)), "UID 1001"),
    ("l1_admin_user", ran(PASSWD), ran(PASSWD.replace("/bin/bash", "/usr/sbin/nologin")), "nologin"),
    ("l1_admin_user", ran(PASSWD), ran("other:x:1000:1000::/:/bin/sh\n"), "no user vaultadmin"),
    (
        "l1_admin_groups",
        {"group": ran("sudo:x:27:a,vaultadmin\nvaultcube:x:9:vaultadmin\ndocker:x:8:vaultadmin\n")},
        {"group": ran("sudo:x:27:a\nvaultcube:x:9:vaultadmin\ndocker:x:8:vaultadmin\n")},
        "not in sudo",
    ),
    (
        "l1_sudo_password",
        {"list": RULES, "password": ran("vaultadmin P 2026-11-24\n")},
        {"list": ran(RULES["out"] + "    (ALL) NOPASSWD: ALL\n"), "password": ran("vaultadmin P\n")},
        "without password",
    ),
    (
        "l1_sudo_password",
        {"list": RULES, "password": ran("vaultadmin P 2026-11-24\n")},
        {"list": RULES, "password": ran("vaultadmin L\n")},
        "no usable password",
    ),
    (
        "l1_sudo_password",
        {"list": RULES, "password": ran("vaultadmin P 2026-11-24\n")},
        {
            "list": ran("Matching Defaults:\n    env_reset, !authenticate\n" + RULES["out"]),
            "password": ran("vaultadmin P\n"),
        },
        "without password: !authenticate",
    ),
    ("l1_docker_answers", ran(DOCKER), ran("{}", 1, "Cannot connect to the Docker daemon"), "Cannot connect"),
    (
        "l1_docker_enabled",
        {"docker": ran("enabled\n"), "containerd": ran("enabled\n")},
        {"docker": ran("enabled\n"), "containerd": ran("disabled\n", 1)},
        "containerd: disabled",
    ),
    (
        "l1_docker_container",
        {"images": ran("a:1"), "image": "a:1", "run": ran()},
        {"images": ran("a:1"), "image": "a:1", "run": ran("", 125, "runc")},
        "runc",
    ),
    ("l1_python", PYTHON, {**PYTHON, "ensurepip": ran("", 1, "No module named ensurepip")}, "ensurepip"),
    ("l1_python", PYTHON, {**PYTHON, "version": ran("Python 3.12.3\n")}, "3.12.3"),
    ("l1_updates_security", ran(APT), ran(APT.replace("Debian-Security", "Debian")), "no security archive"),
    (
        "l1_updates_security",
        ran(APT),
        ran(APT.replace('Upgrade "1"', 'Upgrade "0"')),
        "off: Unattended-Upgrade",
    ),
    (
        "l1_updates_others",
        OTHERS,
        {**OTHERS, "config": ran(APT + 'Unattended-Upgrade::Origins-Pattern:: "o=Debian";\n')},
        "o=Debian",
    ),
    ("l1_updates_others", OTHERS, {**OTHERS, "daily": ran("\n")}, "nobody is told"),
    ("l1_updates_others", OTHERS, {**OTHERS, "announcer": False}, "nobody is told"),
    ("l1_updates_reboot", ran(APT), ran(APT.replace('Reboot "false"', 'Reboot "true"')), "true"),
    (
        "l1_apt_timers",
        {"apt-daily.timer": ["enabled", "active"], "apt-daily-upgrade.timer": ["enabled", "active"]},
        {"apt-daily.timer": ["enabled", "active"], "apt-daily-upgrade.timer": ["disabled", "inactive"]},
        "apt-daily-upgrade.timer: disabled",
    ),
    (
        "l1_fail2ban_jail",
        {"enabled": ran("enabled"), "jail": ran("up")},
        {"enabled": ran(""), "jail": ran("", 255, "down")},
        "down",
    ),
    ("l1_fail2ban_limits", LIMITS, {**LIMITS, "bantime": ran("60\n")}, "bantime 60"),
    ("l1_ufw_active", kernel(), kernel("Status: inactive\n"), "inactive"),
    ("l1_ufw_active", kernel(), kernel(input="ACCEPT [0:0]"), "INPUT's policy is ACCEPT"),
    ("l1_ufw_active", kernel(), kernel(rules="-A INPUT -j ACCEPT\n"), "iptables: INPUT -j ACCEPT"),
    ("l1_ufw_active", kernel(), kernel(way="another-chain"), "does not go through ufw-before-input"),
    (
        "l1_ufw_defaults",
        firewall(UFW_GOOD),
        firewall(UFW_GOOD.replace("deny (inc", "allow (inc")),
        "allow (incoming)",
    ),
    ("l1_ufw_ssh", firewall(UFW_GOOD), firewall(UFW_GOOD.replace("22/tcp (v6)", "23/tcp (v6)")), "IPv6"),
    (
        "l1_ufw_nothing_else",
        firewall(UFW_GOOD),
        firewall(UFW_GOOD + "80/tcp   ALLOW IN   Anywhere\n"),
        "80/tcp",
    ),
    (
        "l1_ufw_boot",
        {"unit": ran("enabled"), "conf": "ENABLED=yes\n"},
        {"unit": ran("enabled"), "conf": "ENABLED=no\n"},
        "ENABLED=no",
    ),
    (
        "l1_docker_user",
        {"iptables": ran(FILTER), "ip6tables": ran(FILTER)},
        {"iptables": ran(FILTER), "ip6tables": ran("*filter\nCOMMIT\n")},
        "ip6tables: no chain",
    ),
    (
        "l1_docker_user",
        {"iptables": ran(FILTER), "ip6tables": ran(FILTER)},
        {
            "iptables": ran(FILTER.replace("-A FORWARD", "-A FORWARD -j ACCEPT\n-A FORWARD")),
            "ip6tables": ran(FILTER),
        },
        "iptables: FORWARD accepts everything",
    ),
    ("l1_sshd_permitrootlogin", sshd(), sshd(permitrootlogin="prohibit-password"), "prohibit-password"),
    ("l1_sshd_passwordauthentication", sshd(), sshd(passwordauthentication="yes"), "yes"),
    ("l1_sshd_kbdinteractiveauthentication", sshd(), sshd(kbdinteractiveauthentication="yes"), "yes"),
    ("l1_sshd_pubkeyauthentication", sshd(), sshd(pubkeyauthentication="no"), "no"),
    ("l1_sshd_allowusers", sshd(), sshd(allowusers="vaultadmin\nallowusers other"), "other"),
    ("l1_sshd_port", sshd(), sshd(port="22\nport 2222"), "2222"),
    ("l1_sshd_dropin", DROPIN, {**DROPIN, "names": ["00-a.conf", "00-vault-cube.conf"]}, "00-a.conf"),
    (
        "l1_sshd_dropin",
        DROPIN,
        {**DROPIN, "main": "PasswordAuthentication yes\nInclude x\n"},
        "PasswordAuthentication",
    ),
    (
        "l1_sshd_running",
        {"enabled": "enabled", "active": "active", "sockets": ran(SS)},
        {"enabled": "disabled", "active": "active", "sockets": ran(SS)},
        "disabled",
    ),
    (
        "l1_ssh_socket",
        {"is-enabled": "disabled", "is-active": "inactive"},
        {"is-enabled": "enabled", "is-active": ""},
        "enabled",
    ),
    (
        "l1_listening",
        ran(SS),
        ran(SS + 'LISTEN 0 5 *:8000 *:* users:(("python3",pid=2,fd=3))\n'),
        "8000 (python3)",
    ),
    ("l1_root_password", ran("root L 2026-11-24\n"), ran("root P 2026-11-24\n"), "a password is set"),
    (
        "l1_root_login",
        {"cases": {"192.0.2.1": ran("permitrootlogin no\n")}, "keys": 0},
        {"cases": {"192.0.2.1": ran("permitrootlogin yes\n")}, "keys": 1},
        "permitrootlogin yes",
    ),
]


@pytest.mark.parametrize(("id", "good", "bad", "word"), TABLE)
def test_each_item(id: str, good: dict[str, Any], bad: dict[str, Any], word: str) -> None:
    assert_item(judge, id, good, bad, word)


def test_every_layer_check_is_in_the_table_and_loads() -> None:
    named = [*checks.LAYER_CHECKS[0], *checks.LAYER_CHECKS[1]]
    assert {row[0] for row in TABLE} == set(named)
    everything = {i for part in (*checks.LAYER_CHECKS.values(), *checks.SUITES.values()) for i in part}
    files = {m.name for m in pkgutil.iter_modules(checks.__path__)}
    helpers = {name for name in files if not hasattr(importlib.import_module(f"vcbox.checks.{name}"), "ID")}
    assert files - helpers == everything
    for id in everything:
        module = checks.load(id)
        assert module and module.TITLE and hasattr(module, "LAYER") != hasattr(module, "SUITE")


def test_a_match_block_is_seen() -> None:
    raw = sshd()
    raw["login"] = sshd(passwordauthentication="yes")["global"]
    assert "Match" in str(judge("l1_sshd_passwordauthentication", raw).value)


def test_a_check_that_breaks_is_an_error_and_not_a_fail() -> None:
    module = checks.load("l1_root_password")
    assert module
    look = Look()
    look.seen[("passwd", "-S", "root")] = {}
    found = run_check(module, look, {})
    assert found["verdict"] == "error" and found["reason"]


def test_a_suite_as_a_job(box: Box) -> None:
    folder = box.start(
        "checks", {"suite": "gpu-detection", "checks": [], "profile": PROFILE, "telemetry": None}
    )
    box.wait(folder)
    found = validate(folder)
    assert [e["check"]["id"] for e in found if e["kind"] == "check"] == checks.SUITES["gpu-detection"]
    assert found[-1]["outcome"] == "passed"


def test_an_unknown_check_is_refused(box: Box) -> None:
    folder = box.start(
        "checks", {"suite": "x", "checks": ["../../etc/passwd"], "profile": {}, "telemetry": None}
    )
    box.wait(folder)
    assert validate(folder)[-1]["code"] == "unknown_check"
