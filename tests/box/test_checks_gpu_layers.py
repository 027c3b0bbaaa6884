"""The checks of layers 2 and 3: pure judges, on output of a rig box with stand-in packages and on recordings of real machines."""

import gzip
import json
from typing import Any

import pytest
from vcbox import checks
from vcbox.checks import driver_look
from vcbox.checks.base import Look, Result
from vcbox.parsers.nvidia_smi import parse_query_xml
from vcbox.parsers.packages import NVIDIA_NAMES, kernels_of, nvidias, parse_packages

from conftest import FIXTURES, REPO
from items import assert_item, judged

H100 = FIXTURES / "nvidia-smi-2xh100"
PROFILE = json.loads((REPO / "resources" / "profiles" / "two-h100.json").read_text())
KERNEL, OLD = "6.12.90-stand-in-amd64", "6.8.0-45-generic"
DRIVER = "580.159.04"


def ran(out: str = "", status: int = 0, err: str = "") -> dict[str, Any]:
    return {"status": status, "out": out, "err": err}


def judge(id: str, raw: Any, profile: dict[str, Any] = PROFILE) -> Result:
    return judged(id, raw, profile)


def smi(**change: Any) -> dict[str, Any]:
    query = parse_query_xml((H100 / "q-idle.xml").read_text())
    for gpu in query["gpus"]:
        gpu.update(change)
    return {"status": 0, "why": "", "query": query}


def silent(why: str, status: int = 9) -> dict[str, Any]:
    return {"status": status, "why": why, "query": None}


DEBS = (
    "bash 5.2.37-2 install installed\nlibcudnn9-cuda-13 9.14.0.64-1 hold installed\nlibnccl2 2.28.3-1+cuda13.0 hold installed\n"
    f"libnvidia-ml1 {DRIVER}-1 hold installed\nnvidia-driver-cuda {DRIVER}-1 hold installed\n"
    f"nvidia-kernel-open-dkms {DRIVER}-1 hold installed\nnvidia-driver-pinning-580 580-1 install installed\n"
)
TABLE_HEAD = f"| NVIDIA-SMI {DRIVER}             Driver Version: {DRIVER}     CUDA Version: 13.0     |"
VERSIONS = {
    "query": smi(),
    "table": ran((H100 / "smi.txt").read_text()),
    "packages": ran(DEBS),
    "modules": {KERNEL: DRIVER, OLD: DRIVER},
    "loaded": DRIVER,
}
# As a machine with two H100 told it in November 2026, and as closed modules say it.
TOLD = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build  (nixbld@)  "
CLOSED = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.159.04  Wed Jan 14 10:00:00 UTC 2026"
OPEN = {"files": {KERNEL: "Dual MIT/GPL"}, "loaded": TOLD}
DKMS = f"nvidia/{DRIVER}, {KERNEL}, x86_64: installed\nnvidia/{DRIVER}, {OLD}, x86_64: installed\n"
BUILT = {"status": ran(DKMS), "modules": {KERNEL: DRIVER, OLD: DRIVER}}
MODPROBE = "blacklist nouveau\noptions nouveau modeset=0\noptions nvidia_uvm uvm_disable_hmm=1\n"
NVCC = ran(
    "nvcc: NVIDIA (R) Cuda compiler driver\nCopyright (c) 2005-2025 NVIDIA Corporation\n"
    "Built on Wed_Aug_20_01:58:59_PM_PDT_2025\nCuda compilation tools, release 13.0, V13.0.88\n"
    "Build cuda_13.0.r13.0/compiler.36424714_0\n"
)
AWAKE = {
    "is-enabled": "enabled",
    "is-active": "active",
    "start": "{ path=/usr/bin/nvidia-persistenced ; }\n",
    "query": smi()["query"],
}
BLACKLIST = 'Unattended-Upgrade::Package-Blacklist:: "{}";\n'
LEFT_OUT = ran("".join(BLACKLIST.format(name) for name in NVIDIA_NAMES))
REBOOT: dict[str, Any] = {
    "notes": {},
    "container": False,
    "running": KERNEL,
    "newest": KERNEL,
    "loaded": DRIVER,
    "file": DRIVER,
}
DAEMON = json.dumps(
    {"default-runtime": "nvidia", "runtimes": {"nvidia": {"path": "nvidia-container-runtime"}}}
)
INFO = {"DefaultRuntime": "nvidia", "Runtimes": {"nvidia": {}, "runc": {}}, "ServerVersion": "26.1.5"}
LIST = (H100 / "list.txt").read_text()
SEEN = {"images": ran("a:1"), "image": "a:1", "host": ran(LIST), "run": ran(LIST)}
DUMP = """
        [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia]
          runtime_type = "io.containerd.runc.v2"

          [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia.options]
            BinaryName = "/usr/bin/nvidia-container-runtime"
"""
CONTAINERD = {"config": ran(DUMP), "is-active": "active", "is-enabled": "enabled"}

# Check, as it should be, broken, and a word that the verdict on the broken one must say.
TABLE: list[tuple[str, Any, Any, str]] = [
    ("l2_nvidia_smi", smi(), silent("nvidia-smi: No such file", 127), "is missing"),
    (
        "l2_nvidia_smi",
        smi(),
        silent("NVIDIA-SMI has failed because it couldn't communicate with"),
        "couldn't communicate",
    ),
    ("l2_gpu_count", smi(), {**smi(), "query": {**smi()["query"], "gpus": smi()["query"]["gpus"][:1]}}, "1"),
    ("l2_gpu_count", smi(), silent("No devices were found"), "0"),
    ("l2_driver_floor", smi(), {**smi(), "query": {**smi()["query"], "driver": "570.26"}}, "570.26"),
    ("l2_driver_versions", VERSIONS, {**VERSIONS, "loaded": "570.26"}, "loaded module: 570.26"),
    (
        "l2_driver_versions",
        VERSIONS,
        {**VERSIONS, "modules": {KERNEL: DRIVER, OLD: "570.26"}},
        f"module for {OLD}: 570.26",
    ),
    (
        "l2_driver_versions",
        VERSIONS,
        {**VERSIONS, "packages": ran(DEBS.replace(f"ml1 {DRIVER}", "ml1 580.1"))},
        "libnvidia-ml1: 580.1",
    ),
    (
        "l2_driver_versions",
        VERSIONS,
        {**VERSIONS, "table": ran(TABLE_HEAD.replace(f"SMI {DRIVER}", "SMI 580.1"))},
        "nvidia-smi: 580.1",
    ),
    (
        "l2_driver_versions",
        VERSIONS,
        {**VERSIONS, "packages": ran("bash 5 install installed\n")},
        "no package of a driver is installed",
    ),
    (
        "l2_module_loaded",
        {"container": False, "loaded": DRIVER},
        {"container": False, "loaded": None},
        "not loaded",
    ),
    ("l2_module_open", OPEN, {**OPEN, "files": {KERNEL: "Dual MIT/GPL", OLD: "NVIDIA"}}, f"{OLD}: NVIDIA"),
    ("l2_module_open", OPEN, {**OPEN, "files": {KERNEL: None}}, "no module"),
    (
        "l2_module_open",
        OPEN,
        {**OPEN, "loaded": CLOSED},
        "loaded: NVRM version: NVIDIA UNIX x86_64 Kernel Module",
    ),
    ("l2_dkms", BUILT, {**BUILT, "status": ran(DKMS.replace("installed\n", "built\n", 1))}, KERNEL),
    ("l2_dkms", BUILT, {**BUILT, "modules": {KERNEL: DRIVER, OLD: None}}, OLD),
    (
        "l2_dkms",
        {**BUILT, "status": ran(DKMS.replace("installed", "installed (Original modules exist)"))},
        {
            **BUILT,
            "status": ran(DKMS.replace("installed", "installed (Differences between built and installed)")),
        },
        OLD,
    ),
    (
        "l2_dkms",
        BUILT,
        {**BUILT, "status": ran("zfs/2.3.2, x, x86_64: installed\n")},
        "knows no NVIDIA module",
    ),
    ("l2_dkms", BUILT, {**BUILT, "status": ran("", 127, "dkms: No such file")}, "No such file"),
    ("l2_headers", {KERNEL: True}, {KERNEL: True, OLD: False}, OLD),
    (
        "l2_nouveau",
        {"config": ran(MODPROBE), "loaded": False},
        {"config": ran("options x y=1\n"), "loaded": False},
        "not blacklisted",
    ),
    (
        "l2_nouveau",
        {"config": ran(MODPROBE), "loaded": False},
        {"config": ran(MODPROBE), "loaded": True},
        "loaded now",
    ),
    (
        "l2_module_options",
        {"config": ran(MODPROBE), "loaded": None},
        {"config": ran(""), "loaded": None},
        "not set",
    ),
    (
        "l2_module_options",
        {"config": ran(MODPROBE), "loaded": "Y\n"},
        {"config": ran(MODPROBE + "options nvidia_uvm uvm_disable_hmm=0\n"), "loaded": None},
        "uvm_disable_hmm=0",
    ),
    (
        "l2_module_options",
        {"config": ran(MODPROBE), "loaded": None},
        {"config": ran(MODPROBE), "loaded": "N\n"},
        "loaded module has N",
    ),
    ("l2_initramfs", {KERNEL: []}, {KERNEL: ["/etc/modprobe.d/zz-nvidia.conf"]}, "zz-nvidia.conf"),
    ("l2_initramfs", {KERNEL: []}, {KERNEL: None}, "no initramfs"),
    (
        "l2_secure_boot",
        {"state": 0, "keys": {}},
        {"state": 1, "keys": {"/k": "/k is not enrolled"}},
        "on, and no key",
    ),
    (
        "l2_secure_boot",
        {"state": 1, "keys": {"/k": "/k is already enrolled"}},
        {"state": 1, "keys": {}},
        "on, and no key",
    ),
    ("l2_persistenced", AWAKE, {**AWAKE, "is-enabled": "static"}, "at boot: static"),
    ("l2_persistenced", AWAKE, {**AWAKE, "is-active": "failed"}, "now: failed"),
    (
        "l2_persistenced",
        AWAKE,
        {**AWAKE, "start": "{ argv[]=/usr/bin/nvidia-persistenced --no-persistence-mode ; }\n"},
        "next start leaves persistence off",
    ),
    (
        "l2_persistenced",
        AWAKE,
        {**AWAKE, "query": smi(persistence="Disabled")["query"]},
        "persistence is off",
    ),
    ("l2_cuda", NVCC, ran("Cuda compilation tools, release 12.2, V12.2.140\n"), "12.2.140"),
    ("l2_cuda", NVCC, ran("", 127, "nvcc: No such file"), "No such file"),
    ("l2_cudnn", ran(DEBS), ran(DEBS.replace("9.14.0.64", "8.9.7")), "8.9.7"),
    ("l2_cudnn", ran(DEBS), ran("bash 5 install installed\n"), "not installed"),
    ("l2_nccl", ran(DEBS), ran(DEBS.replace("2.28.3", "2.26.2")), "2.26.2"),
    (
        "l2_held",
        ran(DEBS),
        ran(DEBS.replace("ml1 580.159.04-1 hold", "ml1 580.159.04-1 install")),
        "not held: libnvidia-ml1",
    ),
    ("l2_held", ran(DEBS), ran("bash 5 install installed\n"), "none is installed"),
    (
        "l2_unattended",
        {"config": LEFT_OUT, "packages": ran(DEBS)},
        {"config": ran(BLACKLIST.format("nvidia-")), "packages": ran(DEBS)},
        "libnvidia-ml1",
    ),
    ("l2_reboot", REBOOT, {**REBOOT, "notes": {"/run/x": "Something changed.\n"}}, "Something changed."),
    ("l2_reboot", REBOOT, {**REBOOT, "newest": "6.12.100-stand-in-amd64"}, "kernel 6.12.100"),
    ("l2_reboot", REBOOT, {**REBOOT, "loaded": "570.26"}, "570.26 is loaded"),
    (
        "l3_toolkit",
        ran("NVIDIA Container Toolkit CLI version 1.18.2\n"),
        ran("NVIDIA Container Toolkit CLI version 1.17.7\n"),
        "1.17.7",
    ),
    (
        "l3_toolkit",
        ran("NVIDIA Container Toolkit CLI version 1.17.8\n"),
        ran("", 127, "nvidia-ctk: No such file"),
        "No such file",
    ),
    (
        "l3_daemon_json",
        {"text": DAEMON},
        {"text": DAEMON.replace('"default-runtime": "nvidia"', '"debug": true')},
        "the default is runc",
    ),
    ("l3_daemon_json", {"text": DAEMON}, {"text": '{"default-runtime": "nvidia"}'}, "no runtime nvidia"),
    ("l3_daemon_json", {"text": DAEMON}, {"text": '{ "default-runtime": '}, "no JSON"),
    ("l3_daemon_json", {"text": DAEMON}, {"text": None}, "no /etc/docker/daemon.json"),
    (
        "l3_default_runtime",
        ran(json.dumps(INFO)),
        ran(json.dumps({**INFO, "DefaultRuntime": "runc"})),
        "runc",
    ),
    (
        "l3_default_runtime",
        ran(json.dumps(INFO)),
        ran("", 1, "Cannot connect to the Docker daemon"),
        "Cannot connect",
    ),
    ("l3_container_gpus", SEEN, {**SEEN, "run": ran(LIST.splitlines()[0] + "\n")}, "1 of 2"),
    (
        "l3_container_gpus",
        SEEN,
        {**SEEN, "run": ran("", 127, 'exec: "/usr/bin/nvidia-smi": no such file')},
        "no such file",
    ),
    (
        "l3_container_gpus",
        SEEN,
        {**SEEN, "images": ran("", 1, "Cannot connect to the Docker daemon")},
        "Cannot connect",
    ),
    (
        "l3_containerd",
        CONTAINERD,
        {**CONTAINERD, "config": ran(DUMP.replace("runtimes.nvidia", "runtimes.runc"))},
        "no runtime nvidia",
    ),
    ("l3_containerd", CONTAINERD, {**CONTAINERD, "is-active": "failed"}, "containerd is failed"),
]


@pytest.mark.parametrize(("id", "good", "bad", "word"), TABLE)
def test_each_item(id: str, good: Any, bad: Any, word: str) -> None:
    assert_item(judge, id, good, bad, word)


def test_every_check_of_these_layers_is_in_the_table() -> None:
    assert {row[0] for row in TABLE} == {*checks.LAYER_CHECKS[2], *checks.LAYER_CHECKS[3]}


def test_what_a_container_cannot_have_is_not_supported() -> None:
    assert judge("l2_module_loaded", {"container": True, "loaded": None}).verdict == "not_supported"
    for id, raw in (
        ("l2_module_open", {"files": {}, "loaded": None}),
        ("l2_headers", {}),
        ("l2_initramfs", {}),
        ("l2_dkms", {**BUILT, "modules": {}}),
    ):
        found = judge(id, raw)
        assert (found.verdict, found.reason) == ("not_supported", driver_look.NO_KERNEL)
    # Its host's kernel and module say nothing of it.
    assert judge("l2_reboot", {**REBOOT, "container": True, "newest": "9.9", "loaded": "1"}).verdict == "pass"


def test_without_gpus_a_container_cannot_be_asked() -> None:
    assert judge("l3_container_gpus", {**SEEN, "host": ran("No devices were found", 6)}).verdict == "not_run"
    assert judge("l3_container_gpus", {**SEEN, "image": None, "run": None}).verdict == "not_run"


def test_a_version_that_is_known_to_be_broken_fails_though_it_reaches_the_floor() -> None:
    floors = [{"version": "2.27.5", "what": "x", "source": "a matrix"}]
    broken = [{"version": "2.28.3", "why": "it hangs", "source": "an issue"}]
    profile = {"software": [{"id": "nccl", "floors": floors, "broken": broken}]}
    found = judge("l2_nccl", ran(DEBS), profile)
    assert (found.verdict, found.value, found.source) == ("fail", "2.28.3: it hangs", "an issue")


def test_floors_come_from_the_profile_with_their_source() -> None:
    found = judge("l2_driver_floor", smi())
    assert (found.threshold, found.verdict) == ("580.65.06 or newer", "pass")
    assert found.source and "CUDA 13" in found.source
    assert judge("l2_cuda", NVCC, {}).verdict == "not_supported"
    # The one floor that holds without a profile is about security.
    assert judge("l3_toolkit", ran("NVIDIA Container Toolkit CLI version 1.17.7\n"), {}).verdict == "fail"


def test_closed_modules_are_no_fault_where_the_profile_does_not_ask_for_open_ones() -> None:
    profile = {"gpu": {"openModules": {"value": False, "source": "x"}}}
    raw = {"files": {KERNEL: "NVIDIA"}, "loaded": CLOSED}
    assert judge("l2_module_open", raw, profile).verdict == "not_supported"


def status_of_ubuntu() -> str:
    """The recorded Ubuntu's status as `dpkg-query` prints it."""
    lines = []
    for stanza in (
        gzip.decompress((FIXTURES / "ubuntu-24.04-cuda13" / "dpkg-status.gz").read_bytes())
        .decode()
        .split("\n\n")
    ):
        fields = dict(
            line.split(": ", 1) for line in stanza.splitlines() if ": " in line and not line.startswith(" ")
        )
        if fields:
            want, _, state = fields["Status"].split()
            lines.append(f"{fields['Package']} {fields['Version']} {want} {state}")
    return "\n".join(lines)


def test_a_recorded_ubuntu_with_some_packages_held() -> None:
    raw = ran(status_of_ubuntu())
    assert len(nvidias(parse_packages(raw["out"]))) > 40
    held = judge("l2_held", raw)
    assert (
        held.verdict == "fail" and "cuda-nvcc-13-0" in str(held.value) and "libnccl2" not in str(held.value)
    )
    assert judge("l2_cudnn", raw).value == "9.14.0.64"
    assert judge("l2_nccl", raw).value == "2.28.3"
    assert (
        judge("l2_driver_versions", {**VERSIONS, "packages": raw}).value
        == "no package of a driver is installed"
    )


def test_kernels_are_those_of_packages() -> None:
    text = "".join(
        f"{name} 1 install installed\n"
        for name in (
            "linux-image-6.8.0-45-generic",
            "linux-image-unsigned-6.8.0-87-generic",
            "linux-image-generic",
        )
    )
    text += "linux-image-6.8.0-40-generic 1 deinstall config-files\nlinux-image-6.12.1-amd64-dbg 1 install installed\n"
    assert kernels_of(parse_packages(text)) == ["6.8.0-45-generic", "6.8.0-87-generic"]


def looking(container: bool) -> Look:
    look = Look()
    look.seen[("systemd-detect-virt", "--container")] = ran(
        "systemd-nspawn\n" if container else "none\n", 0 if container else 1
    )
    look.seen[("uname", "-r")] = ran("6.8.0-50-generic\n")
    look.seen[driver_look.QUERY] = ran("linux-image-6.8.0-45-generic 1 install installed\n")
    return look


def test_the_running_kernel_counts_unless_it_is_the_hosts() -> None:
    assert driver_look.kernels(looking(container=False)) == ["6.8.0-45-generic", "6.8.0-50-generic"]
    assert driver_look.kernels(looking(container=True)) == ["6.8.0-45-generic"]


class Proc(Look):
    """A box whose kernel tells of its module in one place only."""

    def __init__(self, files: dict[str, str]) -> None:
        super().__init__()
        self.files = files

    def read(self, path: str) -> str | None:
        return self.files.get(path)


@pytest.mark.parametrize("line", [TOLD, CLOSED])
def test_the_loaded_module_is_read_where_the_kernel_tells_it(line: str) -> None:
    proc = Proc({"/proc/driver/nvidia/version": f"{line}\nGCC version:  gcc version 15.3.0 (GCC) \n"})
    assert driver_look.loaded(proc) == {"version": DRIVER, "told": line}
    assert driver_look.loaded(Proc({"/sys/module/nvidia/version": f"{DRIVER}\n"}))["version"] == DRIVER
    assert driver_look.loaded(Proc({})) == {"version": None, "told": None}
