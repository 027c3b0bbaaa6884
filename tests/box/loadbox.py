"""A box whose environments, nvidia-smi and administrator are stand-ins; runner, supervisor and checks are real."""

import sys
from pathlib import Path
from typing import Any

from conftest import SOURCE, Box
from harness import box_tar
from loads import H100, PROFILE, Environments

STAND_IN = Path(__file__).resolve().parents[1] / "rig" / "standin" / "nvidia_smi.py"
CONSENT = {"watts": 1400, "seconds": 600, "at": "2026-11-29T12:00:00Z"}


def patched(name: str, old: str, new: str) -> tuple[str, str]:
    text = (SOURCE / name).read_text()
    assert old in text
    return name, text.replace(old, new)


class LoadBox:
    """A box whose environments, nvidia-smi and administrator are stand-ins; everything else is real."""

    def __init__(self, box: Box, folder: Path) -> None:
        self.box = box
        self.says = Environments(folder / "venvs")
        tools = folder / "tools"
        tools.mkdir()
        smi = tools / "nvidia-smi"
        switch, held = folder / "switch", folder / "held"
        self.limits, self.edits = folder / "limits.json", folder / "edits.json"
        env = f"STAND_IN_DATA={H100} STAND_IN_SWITCH={switch} STAND_IN_HELD={held} STAND_IN_LIMITS={self.limits} STAND_IN_EDITS={self.edits}"
        smi.write_text(f'#!/bin/sh\n{env} exec {sys.executable} {STAND_IN} "$@"\n')
        smi.chmod(0o755)
        self.tools = tools
        where = f'Path("{folder / "venvs"}")'
        changes = dict(
            [
                patched("vcbox/checks/frameworks_look.py", 'Path("/opt/vault-cube/venvs")', where),
                patched("vcbox/launch.py", '"PATH": "', f'"PATH": "{tools}:'),
            ]
        )
        box.tar.write_bytes(box_tar({"ansible/site.yml": "- hosts: all\n", **changes}))

    def kernel_log(self) -> Path:
        """A stand-in for the kernel's log: what is written at its end is told to whoever follows."""
        log = self.tools / "kernel.log"
        log.touch()
        self.tool("dmesg", f'[ "$1" = --follow-new ] && exec tail -n 0 -s 0.1 -f {log}\nexec cat {log}')
        self.tool("journalctl", "exit 1")
        return log

    def no_kernel_log(self) -> None:
        for name in ("dmesg", "journalctl"):
            self.tool(name, "exit 1")

    def tool(self, name: str, text: str) -> None:
        (self.tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.tools / name).chmod(0o755)

    def params(self, suite: str, **more: Any) -> dict[str, Any]:
        usual = {
            "suite": suite,
            "checks": [],
            "profile": PROFILE,
            "telemetry": {"hz": 10},
            "consent": CONSENT,
        }
        return {**usual, "expect": {"adminUser": "nobody-of-here", "adminUid": None, "sshPort": 22}, **more}


def results(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {e["check"]["id"]: e["check"] for e in found if e["kind"] == "check"}


def with_pause(lines: list[dict[str, Any]], seconds: float) -> list[dict[str, Any]]:
    """The measured window takes as long."""
    at = next(i for i, one in enumerate(lines) if one["at"] == "begin")
    return [*lines[: at + 1], {"do": "wait", "seconds": seconds}, *lines[at + 1 :]]
