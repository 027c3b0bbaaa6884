"""Decisions of layers 2 and 3 that no rig box can reach: Secure Boot, other kernels, other versions, NVIDIA's names."""

import gzip
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from project import ANSIBLE, DISTRIBUTIONS, REPO, load, try_tasks
from vcbox.parsers.packages import NVIDIA_NAMES

ROLE = ANSIBLE / "roles" / "driver_stack"
STATUS = REPO / "tests" / "fixtures" / "ubuntu-24.04-cuda13" / "dpkg-status.gz"
NAMES = load(ROLE / "vars" / "main.yml")["driver_stack_name_patterns"]
PATTERNS = "(" + "|".join(NAMES) + ")"


FILES = [ROLE / "defaults" / "main.yml", ROLE / "vars" / "main.yml", ROLE / "vars" / "debian-13.yml"]


def run(folder: Path, hosts: dict[str, dict[str, Any]], tasks: list[dict[str, Any]], **more: str) -> Any:
    return try_tasks(folder, FILES, hosts, tasks, **more)


def test_secure_boot(tmp_path: Path) -> None:
    """Last byte of the firmware's variable (None: no such file), what mokutil says, whether the role goes on."""
    cases: dict[str, tuple[int | None, str, bool]] = {
        "bios": (None, "", True),
        "off": (0, "", True),
        "enrolled": (1, "/var/lib/dkms/mok.pub is already enrolled", True),
        "foreign": (1, "/var/lib/dkms/mok.pub is not enrolled", False),
        "keyless": (1, "", False),
    }
    hosts = {}
    for name, (last, said, _) in cases.items():
        hosts[name] = {
            "driver_stack_secure_boot_variable": str(tmp_path / f"{name}.var"),
            "driver_stack_mok_key": str(tmp_path / f"{name}.der"),
        }
        if last is not None:
            (tmp_path / f"{name}.var").write_bytes(bytes([6, 0, 0, 0, last]))
        (tmp_path / f"{name}.der").write_text(said)
    (tmp_path / "mokutil").write_text('#!/bin/sh\ncat "$2"\n')
    (tmp_path / "mokutil").chmod(0o755)
    tasks = load(ROLE / "tasks" / "secure_boot.yml")
    done = run(tmp_path, hosts, tasks, path=f"{tmp_path}:{os.environ['PATH']}")
    for name, (_, _, good) in cases.items():
        recap = re.search(rf"^{name} +: .*failed=(\d)", done.stdout, re.MULTILINE)
        assert recap and recap[1] == ("0" if good else "1"), done.stdout
    assert "Nothing was changed" in done.stdout and "Enroll MOK, Continue, Yes" in done.stdout
    assert "mokutil --import" in done.stdout and "dkms generate_mok" in done.stdout


INSTALLED = [
    "linux-image-6.8.0-45-generic",
    "linux-image-unsigned-6.8.0-87-generic",
    "linux-image-generic",
    "linux-image-extra-virtual",
    "linux-image-6.12.48+deb13-amd64",
    "linux-image-6.12.48+deb13-amd64-dbg",
    "linux-headers-6.8.0-45-generic",
    "bash",
]
KERNELS = ["6.12.48+deb13-amd64", "6.8.0-45-generic", "6.8.0-87-generic"]
# Packages as given, what apt says, and the version that the driver would have.
VERSIONS = [
    (["libnccl2=1", "nvidia-open-580=580.95.05-1ubuntu1"], "", "580.95.05"),
    (["nvidia-open"], "nvidia-open:\n  Candidate: 580.105.08-1\n", "580.105.08"),
    ([], "nvidia-open:\n  Candidate: (none)\n", ""),
    ([], "", ""),
]


def test_headers_of_every_kernel_and_the_drivers_version_beforehand(tmp_path: Path) -> None:
    packages = {"packages": {name: [{}] for name in INSTALLED}}
    hosts = {
        f"h{number}": {
            "ansible_facts": packages,
            "driver_stack_packages": given,
            "driver_stack_policy": {"stdout": policy},
        }
        for number, (given, policy, _) in enumerate(VERSIONS)
    }
    names = ["driver_stack_kernels", "driver_stack_headers", "driver_stack_driver_version"]
    text = "{{ {" + ", ".join(f"'{name}': {name}" for name in names) + "} | to_json }}"
    copy = {"content": text, "dest": f"{tmp_path}/{{{{ inventory_hostname }}}}.json", "mode": "0600"}
    done = run(tmp_path, hosts, [{"name": "Show", "ansible.builtin.copy": copy}])
    assert done.returncode == 0, done.stdout + done.stderr
    for number, (_, _, version) in enumerate(VERSIONS):
        found = json.loads((tmp_path / f"h{number}.json").read_text())
        assert found["driver_stack_driver_version"] == version
        assert sorted(found["driver_stack_kernels"]) == KERNELS
        headers = [*(f"linux-headers-{kernel}" for kernel in KERNELS), "linux-headers-generic"]
        assert sorted(found["driver_stack_headers"]) == headers


def recorded() -> dict[str, str]:
    """Package to maintainer, of the recorded Ubuntu."""
    text = gzip.decompress(STATUS.read_bytes()).decode()
    stanzas = (dict(re.findall(r"^(\S+): (.*)$", stanza, re.MULTILINE)) for stanza in text.split("\n\n"))
    return {s["Package"]: s.get("Maintainer", "") for s in stanzas if "Package" in s}


def test_the_checks_look_for_what_the_role_holds() -> None:
    assert tuple(NAMES) == NVIDIA_NAMES


def test_the_patterns_take_nvidias_packages_and_no_others() -> None:
    packages = recorded()
    nvidias = {name for name, maintainer in packages.items() if re.search("nvidia|cuda", maintainer, re.IGNORECASE)}
    assert len(nvidias) > 40
    assert {name for name in packages if re.match(PATTERNS, name)} == nvidias


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_default_packages(distribution: str) -> None:
    variables = load(ROLE / "vars" / f"{distribution}.yml")
    names = variables["driver_stack_default_packages"]
    # Neither a driver nor the toolkit's metapackage is in the recorded environment; NVIDIA's documentation names them.
    assert set(names) - set(recorded()) == {"nvidia-open", "cuda-toolkit-13-0"}
    assert all(re.match(PATTERNS, name) for name in names)
    assert distribution.replace("-", "").replace(".", "") in variables["driver_stack_nvidia_repository"]
