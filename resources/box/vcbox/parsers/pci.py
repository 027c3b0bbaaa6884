"""What sysfs shows of PCI devices: error counters and addresses."""

ADDRESS_LENGTH = len("0000:41:00.0")


def parse_counters(text: str) -> dict[str, int]:
    """`aer_dev_correctable` and its like: each error's count, the total among them as TOTAL_ERR_COR and so on."""
    pairs = (line.split() for line in text.splitlines())
    return {p[0]: int(p[1]) for p in pairs if len(p) == 2 and p[1].isdigit()}


def total(text: str | None) -> int | None:
    """The sum of a counter file; None where it is not there."""
    if text is None:
        return None
    counts = parse_counters(text)
    totals = [v for k, v in counts.items() if k.startswith("TOTAL")]
    return totals[0] if totals else sum(counts.values())


def address(text: str) -> str:
    """ "00000000:41:00.0", as nvidia-smi writes it, as sysfs does."""
    return text.strip().lower()[-ADDRESS_LENGTH:]


def gone(config: bytes | None) -> bool | None:
    """Whether a device no longer answers: reads of its configuration give ones then. None where it cannot be read."""
    return None if not config else config[:4] == b"\xff\xff\xff\xff"
