"""Suites T8 and T9: their lists are what the documents say, and their judges are pure."""

import json
import re
import socket
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from vcbox import checks, hands, outside
from vcbox.checks import before_look, role_look, t8_ban, t8_kernel, t8_reboot, together_look
from vcbox.checks.base import Look, Result, run_check
from vcbox.kinds.checks import absent, planned

from conftest import REPO
from items import assert_item, judged

PROFILE: dict[str, Any] = {}
RUN = {"why": None, "counts": {"ok": 30}, "changed": [], "failure": None}


def ran(out: str = "", status: int = 0, err: str = "") -> dict[str, Any]:
    return {"status": status, "out": out, "err": err}


def judge(id: str, raw: Any) -> Result:
    return judged(id, raw, PROFILE)


def test_the_ten_are_those_of_the_document_in_its_order() -> None:
    text = (REPO / "docs" / "validation.md").read_text()
    named = re.findall(r"^\| (\d+) \| `(t8_\w+)` \|", text, re.MULTILINE)
    assert [id for _, id in named] == checks.SUITES["integration"]
    assert [int(number) for number, _ in named] == list(range(1, 11))


def test_roles_has_twenty_checks_and_more_over_all_layers_and_writes_none_twice() -> None:
    suite = checks.SUITES["roles"]
    modules = {id: module for id in suite if (module := checks.load(id))}
    without_6 = [id for id, module in modules.items() if checks.layer_of(module) != 6]
    assert len(without_6) >= 20 and len(set(suite)) == len(suite)
    assert {checks.layer_of(module) for module in modules.values()} == {1, 2, 3, 4, 5, 6}
    roles = {p.name for p in (REPO / "ansible" / "roles").iterdir()}
    # The site bundle is no layer: the app's own fetch brings it.
    assert {id.removeprefix("t9_role_") for id in suite if id.startswith("t9_role_")} == roles - {
        "site_bundle"
    }


def test_checks_of_layers_that_a_box_cannot_have_are_left_out_and_of_missing_ones_not_run() -> None:
    suite = checks.SUITES["roles"]
    assert planned(suite, None) == suite
    base = planned(suite, [0, 1])
    assert "t9_role_base_system" in base and "t9_role_monitoring" not in base
    module = checks.load("t9_role_gpu_runtime")
    assert module and absent(module, None) is module and absent(module, [0, 3]) is module
    result = run_check(absent(module, [0, 1]), Look(), PROFILE)
    assert (result["id"], result["verdict"]) == ("t9_role_gpu_runtime", "not_run")
    assert result["reason"] == "layer 3 was not installed on this box" and result["nextAction"]


UNIT = "LoadState=loaded\nNeedDaemonReload=no\nActiveState=active\nSubState=running\n"
GONE = "LoadState=not-found\nNeedDaemonReload=no\nActiveState=inactive\nSubState=dead\n"
FINDING = {
    "key": {"ok": True, "seconds": 0.4, "detail": None},
    "password": {"refused": True, "methods": "publickey", "detail": "no passwords"},
    "ports": {"22": "open", "28017": "silent", "28018": "silent", "80": "silent"},
}
OUTSIDE = {
    "why": None,
    "asked": {"program": 28017, "container": 28018, "others": [80]},
    "local": {"program": True, "container": True},
    "reached": [],
    "told": FINDING,
}


def told(part: str, **change: Any) -> dict[str, Any]:
    return {**OUTSIDE, "told": {**FINDING, part: {**FINDING[part], **change}}}


BAN = {
    "clean": True,
    "early": False,
    "last": ran("1"),
    "banned": True,
    "status": ran("Banned IP list: 192.0.2.77"),
    "released": True,
}
STATE = {"ssh.service": "enabled, active", "GPUs": "GPU 0"}
REBOOT = {
    "why": None,
    "before": {"boot": "a", "state": STATE},
    "boot": "b",
    "now": STATE,
    "started": "running",
    "failed": "",
}


def bans(**change: Any) -> dict[str, Any]:
    return {"jail": ran("5\n"), "tries": {"192.0.2.77": BAN, "2001:db8::77": {**BAN, **change}}}


TABLE: list[tuple[str, Any, Any, str]] = [
    ("t9_role_base_system", RUN, {**RUN, "changed": ["Run fail2ban now and at boot"]}, "Run fail2ban"),
    ("t9_role_monitoring", RUN, {**RUN, "failure": "Commands: no such file"}, "no such file"),
    ("t9_sshd_config", ran(), ran("", 255, "line 3: Bad configuration option: x"), "line 3"),
    ("t9_sudoers", ran("parsed OK"), ran("", 1, "sudoers:2:1: syntax error"), "syntax error"),
    ("t9_fail2ban_config", ran("pong"), ran("", 255, "Failed to access socket"), "Failed to access"),
    ("t9_docker_config", ran("configuration OK"), ran("", 1, "unable to configure"), "unable"),
    ("t9_packages", ran(), ran("curl half-configured", 1), "curl"),
    ("t9_firewall_rules", {"/a": ran()}, {"/a": ran(), "/b": ran("", 2, "line 7 failed")}, "/b: line 7"),
    ("t9_units", {"a": ran(UNIT), "b": ran(GONE)}, {"a": ran(UNIT.replace("=no", "=yes"))}, "a: its file"),
    ("t9_units", {"a": ran(UNIT)}, {"a": ran(UNIT.replace("=active", "=failed"))}, "a: failed"),
    ("t9_units", {"a": ran(UNIT)}, {"a": ran(UNIT.replace("=loaded", "=masked"))}, "a: masked"),
    (
        "t9_containerd_service",
        {"is-enabled": "enabled", "is-active": "active"},
        {"is-enabled": "enabled", "is-active": "inactive"},
        "inactive",
    ),
    ("t8_key_login", OUTSIDE, told("key", ok=False, detail="refused"), "no login with the key: refused"),
    ("t8_key_login", OUTSIDE, told("password", refused=False), "a password is taken"),
    ("t8_key_login", OUTSIDE, told("password", methods="publickey, keyboard-interactive"), "keyboard"),
    ("t8_firewall", OUTSIDE, told("ports", **{"28018": "refused"}), "28018 (container): refused"),
    ("t8_firewall", OUTSIDE, told("ports", **{"80": "open"}), "80 (other): open"),
    ("t8_firewall", OUTSIDE, {**OUTSIDE, "reached": ["10.0.0.9"]}, "reached from 10.0.0.9"),
    ("t8_ban", bans(), bans(banned=False), "2001:db8::77 is not banned"),
    ("t8_ban", bans(), bans(early=True), "banned too early"),
    ("t8_ban", bans(), bans(released=False), "stays banned"),
    ("t8_ban", bans(), {"jail": ran("", 255, "no jail sshd"), "tries": {}}, "no jail sshd"),
    ("t8_reboot", REBOOT, {**REBOOT, "now": {**STATE, "GPUs": ""}}, "GPUs: '' instead of 'GPU 0'"),
    (
        "t8_second_run",
        {"why": None, "runs": {"base_system": RUN}},
        {"why": None, "runs": {"base_system": RUN, "monitoring": {**RUN, "changed": ["Commands"]}}},
        "monitoring changed Commands",
    ),
]


@pytest.mark.parametrize(("id", "good", "bad", "word"), TABLE)
def test_each_item(id: str, good: Any, bad: Any, word: str) -> None:
    assert_item(judge, id, good, bad, word)


NOT_RUN: list[tuple[str, Any, str]] = [
    ("t9_role_driver_stack", {"why": "the role was not run"}, "was not run"),
    ("t8_key_login", {**OUTSIDE, "told": None, "why": "the app told nothing"}, "told nothing"),
    ("t8_firewall", {**OUTSIDE, "why": "no container image is on the box"}, "no container image"),
    ("t8_reboot", {"why": "it comes after the reboot"}, "after the reboot"),
    ("t8_reboot", {**REBOOT, "boot": "a"}, "not rebooted"),
    ("t8_gpu_after_reboot", {"why": "the box was not rebooted", "checks": {}}, "not rebooted"),
    ("t8_second_run", {"why": "the packages are gone", "runs": {}}, "packages are gone"),
]


@pytest.mark.parametrize(("id", "raw", "word"), NOT_RUN)
def test_what_did_not_happen_is_not_run(id: str, raw: Any, word: str) -> None:
    found = judge(id, raw)
    assert found.verdict == "not_run" and word in str(found.reason) and found.next


def test_silence_outside_shows_nothing_where_the_box_itself_was_deaf_or_the_laptop_reached_nothing() -> None:
    deaf = judge("t8_firewall", {**OUTSIDE, "local": {"program": True, "container": False}})
    assert deaf.verdict == "error" and "container" in str(deaf.reason)
    away = judge("t8_firewall", told("ports", **{"22": "silent"}))
    assert away.verdict == "error" and "not even port 22" in str(away.reason)
    ports = {"22": "open", "28017": "silent"}
    untried = judge("t8_firewall", {**OUTSIDE, "told": {**FINDING, "ports": ports}})
    assert untried.verdict == "error" and "container" in str(untried.reason)


def test_no_check_of_these_passes_without_a_job() -> None:
    look = Look()
    raws = [role_look.gather(look, "base_system"), outside.finding(look), t8_reboot.gather(look)]
    assert all(raw["why"] for raw in raws)


def test_a_program_that_listens_tells_who_reached_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with outside.listener(port) as reached:
        assert outside.answers(port)
        with socket.create_connection(("::1", port), timeout=5):
            pass
        # Closed by the other side once it was counted.
        with socket.create_connection(("127.0.0.1", port), timeout=5) as one:
            assert one.recv(1) == b""
    assert reached == ["127.0.0.1", "::1", "127.0.0.1"]
    assert not outside.answers(port)


class Waiting:
    """As much of a job's context as asking the laptop needs."""

    def __init__(self, folder: Path) -> None:
        self.control = folder
        self.asked: list[str] = []

    def waiting(self, what: str, _: str) -> AbstractContextManager[None]:
        self.asked.append(what)
        return nullcontext()

    def sleep(self, _: float) -> None:
        """Time is nothing to wait for here."""


@pytest.fixture
def laptop(tmp_path: Path) -> tuple[hands.Hands, Path]:
    ctx: Any = Waiting(tmp_path)
    return hands.Hands(ctx), tmp_path / "finding.json"


def test_what_the_laptop_tells_is_read_and_silence_is_none(laptop: tuple[hands.Hands, Path]) -> None:
    asking, path = laptop
    assert asking.ask_laptop("why", 0.5) is None
    path.write_text(json.dumps(FINDING))
    assert asking.ask_laptop("why", 0.5) == FINDING


def test_a_link_in_its_place_is_not_followed(laptop: tuple[hands.Hands, Path], tmp_path: Path) -> None:
    asking, path = laptop
    (tmp_path / "other").write_text("{}")
    path.symlink_to(tmp_path / "other")
    assert asking.ask_laptop("why", 0.5) is None


def test_the_worst_of_several_decides_and_is_named() -> None:
    good = {"docker": ran("enabled\n"), "containerd": ran("enabled\n")}
    bad = {**good, "docker": ran("disabled\n", 1)}
    raw = {"l1_docker_enabled": good, "l1_docker_answers": ran('{"ServerVersion": "26"}')}
    assert together_look.judge(raw, PROFILE).verdict == "pass"
    worst = together_look.judge({**raw, "l1_docker_enabled": bad}, PROFILE)
    assert worst.verdict == "fail" and str(worst.value).startswith("Docker starts at boot: docker: disabled")
    assert worst.next and "Docker answers: pass" in str(worst.evidence)


def kernel(*, here: bool, told_of: bool) -> dict[str, Any]:
    """What the driver's checks read with a simulated kernel, on a machine of its own or in a container."""
    line = "nvidia/580.95.05, 6.8.0-60-generic, x86_64: installed\n"
    modules = {"6.8.0-60-generic": "580.95.05"}
    more = {**modules, t8_kernel.KERNEL: None} if told_of else modules
    due = {"notes": {}, "container": not here, "running": "6.8.0-60-generic", "loaded": None, "file": None}
    newest = t8_kernel.KERNEL if told_of else "6.8.0-60-generic"
    return {
        "now": {"l2_dkms": {"status": ran(line), "modules": modules}},
        "then": {
            "l2_dkms": {"status": ran(line), "modules": more},
            "l2_reboot": {**due, "newest": newest},
        },
        "container": not here,
    }


@pytest.mark.parametrize("here", [True, False])
def test_a_simulated_kernel_is_told_of(here: bool) -> None:
    assert_item(
        judge, "t8_kernel", kernel(here=here, told_of=True), kernel(here=here, told_of=False), "l2_dkms"
    )


def test_missing_modules_from_the_start_are_no_proof() -> None:
    raw = kernel(here=True, told_of=True)
    raw["now"] = raw["then"] | {}
    del raw["now"]["l2_reboot"]
    found = judge("t8_kernel", raw)
    assert found.verdict == "fail" and "before anything was simulated" in str(found.value)


def test_the_simulation_is_seen_by_the_look_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes through the real looks, and the look that it began with knows nothing of it afterwards."""
    asked: list[tuple[str, ...]] = []

    def command(self: Look, *argv: str, timeout: float = 30.0) -> dict[str, Any]:
        asked.append(argv)
        return self.seen.setdefault(argv, ran("nvidia/580, x: installed\n" if argv[0] == "dkms" else ""))

    monkeypatch.setattr(Look, "command", command)
    look = Look()
    raw = t8_kernel.gather(look)
    assert list(raw["then"]["l2_dkms"]["modules"]) == [t8_kernel.KERNEL]
    assert raw["now"]["l2_dkms"]["modules"] == {}
    assert all(t8_kernel.KERNEL not in seen["out"] for seen in look.seen.values())
    assert ("modinfo", "-k", t8_kernel.KERNEL, "-F", "version", "nvidia") in asked


def test_the_addresses_that_are_banned_are_nobodys() -> None:
    assert all(a.startswith(("192.0.2.", "2001:db8:")) for a in t8_ban.ADDRESSES)


def test_the_note_that_asks_for_a_reboot_is_the_one_that_the_app_looks_for() -> None:
    app = (REPO / "main" / "services" / "reboot.ts").read_text()
    assert f"'{before_look.NOTE}'" in app
