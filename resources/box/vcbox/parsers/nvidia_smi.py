"""Output of nvidia-smi: `-q -x` and `--query-gpu` CSV. What the card does not tell ("N/A") is None."""

import xml.etree.ElementTree as ET
from typing import Any

from vcbox.parsers.nvidia_health import parse_health
from vcbox.parsers.nvidia_values import number, text, whole


def parse_query_xml(xml: str) -> dict[str, Any]:
    """`nvidia-smi -q -x`: `{timestamp, driver, cuda, gpus: [{uuid, name, serial, bus, vbios, memoryMiB, pcie…, temperatureC, …}]}`.

    Raises ValueError when it is not that document.
    """
    try:
        root = ET.fromstring(xml)
    except ET.ParseError as e:
        raise ValueError(f"nvidia-smi -q -x printed no XML: {e}") from e
    if root.tag != "nvidia_smi_log":
        raise ValueError(f"nvidia-smi -q -x printed <{root.tag}>, not <nvidia_smi_log>")
    return {
        "timestamp": text(root.findtext("timestamp")),
        "driver": text(root.findtext("driver_version")),
        "cuda": text(root.findtext("cuda_version")),
        "attached": whole(root.findtext("attached_gpus")),
        "gpus": [_gpu(g) for g in root.findall("gpu")],
    }


def _gpu(g: ET.Element) -> dict[str, Any]:
    link = "pci/pci_gpu_link_info/"
    return {
        "bus": text(g.findtext("pci/pci_bus_id")) or g.get("id"),
        "name": text(g.findtext("product_name")),
        "uuid": text(g.findtext("uuid")),
        "serial": text(g.findtext("serial")),
        "vbios": text(g.findtext("vbios_version")),
        "gsp": text(g.findtext("gsp_firmware_version")),
        "persistence": text(g.findtext("persistence_mode")),
        "memoryMiB": whole(g.findtext("fb_memory_usage/total")),
        "bar1MiB": whole(g.findtext("bar1_memory_usage/total")),
        # What the card itself can do, whatever the slot offers; older drivers name only the common maximum.
        "pcieGenCard": whole(g.findtext(link + "pcie_gen/max_device_link_gen"))
        or whole(g.findtext(link + "pcie_gen/max_link_gen")),
        "pcieGenMax": whole(g.findtext(link + "pcie_gen/max_link_gen")),
        "pcieGenNow": whole(g.findtext(link + "pcie_gen/current_link_gen")),
        "pcieWidthMax": whole(g.findtext(link + "link_widths/max_link_width")),
        "pcieWidthNow": whole(g.findtext(link + "link_widths/current_link_width")),
        "temperatureC": whole(g.findtext("temperature/gpu_temp")),
        "utilization": whole(g.findtext("utilization/gpu_util")),
        "state": text(g.findtext("performance_state")),
        **parse_health(g),
    }


def parse_csv_row(line: str) -> list[str]:
    """The cells of a `--format=csv` row; nvidia-smi neither quotes nor puts commas into values."""
    return [cell.strip() for cell in line.split(",")]


def cell_value(cell: str) -> float | int | str | None:
    """A cell of telemetry: a number, a bit mask as it is written ("0x…"), or None."""
    if cell.lower().startswith("0x"):
        return cell
    n = number(cell)
    if n is None:
        return None
    return int(n) if n.is_integer() and "." not in cell else n
