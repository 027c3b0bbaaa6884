"""Package lists: the role's, the check's, and what a real Ubuntu has."""

import gzip
import re
from typing import Any

import pytest
from project import ANSIBLE, DISTRIBUTIONS, REPO, load
from vcbox.checks import l1_packages

STATUS = REPO / "tests" / "fixtures" / "ubuntu-24.04-cuda13" / "dpkg-status.gz"
# Names that the recorded Ubuntu, a GPU environment without network services, does not have. They have the same name in
# Debian, where the roles run in tests; no index of Ubuntu's archive and no run on Ubuntu stands behind them yet.
NOT_RECORDED = {
    "acl",
    "bash-completion",
    "dmidecode",
    "docker.io",
    "ethtool",
    "fail2ban",
    "less",
    "lsof",
    "nftables",
    "openssh-server",
    "pciutils",
    "python3-systemd",
    "rsync",
    "smartmontools",
    "sudo",
    "ufw",
    "unattended-upgrades",
    "unzip",
    "usbutils",
    "vim",
    "zip",
    "zstd",
}
# What differs: the interpreter's version, and that Docker's client is a package of its own on Debian.
OWN = {
    "ubuntu-24.04": {"python3.12", "python3.12-dev", "python3.12-venv"},
    "debian-13": {"python3.13", "python3.13-dev", "python3.13-venv", "docker-cli"},
}


def variables(distribution: str) -> dict[str, Any]:
    return load(ANSIBLE / "roles" / "base_system" / "vars" / f"{distribution}.yml")


def packages(distribution: str) -> list[str]:
    return variables(distribution)["base_system_packages"]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_the_check_looks_for_what_the_role_installs(distribution: str) -> None:
    names = packages(distribution)
    assert len(names) == len(set(names)), "no name twice"
    assert set(names) - set(l1_packages.WANTED) == OWN[distribution]
    assert set(l1_packages.WANTED) <= set(names)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_the_original_specification_is_covered(distribution: str) -> None:
    python = variables(distribution)["base_system_python_version"]
    wanted = {"build-essential", "git", "curl", "vim", "ufw", "fail2ban", "docker.io", "unattended-upgrades"}
    wanted |= {"python3-pip", "python3-venv", f"python{python}", f"python{python}-venv"}
    assert wanted <= set(packages(distribution))


def recorded() -> set[str]:
    with gzip.open(STATUS, "rt", encoding="utf-8") as file:
        return {line.split()[1] for line in file if line.startswith("Package: ")}


def test_names_for_ubuntu_are_ubuntus() -> None:
    there = recorded()
    assert len(there) > 400
    for name in packages("ubuntu-24.04"):
        assert re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", name)
        assert (name in there) != (name in NOT_RECORDED), f"{name} is neither recorded nor listed, or both"


def test_names_that_were_not_recorded_are_at_least_debians() -> None:
    assert set(packages("ubuntu-24.04")) >= NOT_RECORDED
    assert set(packages("debian-13")) >= NOT_RECORDED
