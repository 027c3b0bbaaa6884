"""What the checks of suite T1 look at on a machine with the two recorded H100, and a profile for it."""

from typing import Any

from vcbox.parsers.nvidia_smi import parse_query_xml

from conftest import FIXTURES

H100 = FIXTURES / "nvidia-smi-2xh100"
PROFILE: dict[str, Any] = {
    "distributions": [{"id": "debian", "version": "13", "python": "3.13"}],
    "gpu": {
        "count": 2,
        "name": "NVIDIA H100 80GB HBM3",
        "memoryMiB": 81559,
        "memoryToleranceMiB": 0,
        "pcieGen": 5,
        "pcieWidth": 16,
        "idleTemperatureC": {"max": 60, "source": "the specification"},
        "driverFloor": {"version": "570.26", "source": "a support matrix"},
        "bar1MiB": {"min": 81559, "source": "x"},
        "powerLimitW": {"value": 700, "source": "x"},
        "throttleAcceptable": {"value": ["gpu_idle", "sw_power_cap"], "source": "x"},
        "pcieReplays": {"max": 80, "source": "x"},
        "aerCorrectable": {"max": 80, "source": "x"},
        "eccUncorrectable": {"max": 0, "source": "x"},
        "fanRestsBelowC": {"max": 60, "source": "x"},
    },
    "bios": {"iommu": {"value": "direct", "source": "x"}, "acsRedirect": {"value": False, "source": "x"}},
}


BUSES = ["0000:00:06.0", "0000:00:07.0"]


def gpus(**change: Any) -> dict[str, Any]:
    query = parse_query_xml((H100 / "q-idle.xml").read_text())
    for gpu in query["gpus"]:
        gpu.update(change)
    ports = [{"address": a, "correctable": 0, "nonfatal": 0, "fatal": 0} for a in BUSES]
    return {
        "status": 0,
        "why": "",
        "query": query,
        "bus": 2,
        "module": "580.159.04\n",
        "log": "NVRM: loading",
        "logWhy": None,
        "cards": [{"address": a, "gone": False} for a in BUSES],
        "ports": ports,
        "groups": 0,
        "types": [],
        "cmdline": "",
        "bridges": 0,
        "hidden": [],
        "controls": {},
        "disks": {"nvme0": SMART},
        "tools": ["smartctl"],
    }


SMART = {
    "passed": True,
    "warning": 0,
    "sparePercent": 100,
    "spareLimit": 10,
    "usedPercent": 1,
    "mediaErrors": 0,
}
# What the recorded cards do not have.
ABSENT = {"gpu_fans": "not_supported"}
