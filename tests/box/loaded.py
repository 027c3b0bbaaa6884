"""Windows of telemetry: what two H100 told at work, taken in turns for as long as a window is to be, and edited copies of it."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from vcbox.parsers.nvidia_smi import cell_value, parse_csv_row
from vcbox.telemetry import FIELDS
from vcbox.windows import Window

from harness import FIXTURES

RECORDED = FIXTURES / "nvidia-smi-2xh100" / "telemetry.csv"
# Time, card and then the fields.
AT = {name: n + 2 for n, name in enumerate(FIELDS)}
AT_WORK = 95
SECONDS = 180
Row = list[Any]


def recorded() -> list[Row]:
    """All recorded rows as telemetry keeps them, two a second."""
    lines = [parse_csv_row(line) for line in RECORDED.read_text().splitlines()]
    columns = [[name.split(" [")[0] for name in lines[0]].index(f) for f in ("index", *FIELDS)]
    cells = [[row[c] for c in columns] for row in lines[1:]]
    return [[100.0 + n // 2 / 2, int(c[0]), *(cell_value(v) for v in c[1:])] for n, c in enumerate(cells)]


def at_work(card: int) -> list[Row]:
    return [r for r in recorded() if r[1] == card and (r[AT["utilization.gpu"]] or 0) >= AT_WORK]


def window(cards: int = 2, **more: Any) -> Window:
    return Window(since=0.0, until=float(SECONDS), cards=cards, **more)


def rows(cards: int = 2) -> list[Row]:
    """A row a card and second: recorded ones of a card at work, in turns."""
    found = []
    for card in range(cards):
        for second, row in enumerate(islice(cycle(at_work(card % 2)), SECONDS + 1)):
            found.append([float(second), card, *row[2:]])
    return sorted(found, key=lambda r: (r[0], r[1]))


def edit(
    field: str, value: Any, card: int | None = 1, since: float = 0.0, until: float = 1e9
) -> Callable[[list[Row]], list[Row]]:
    def plant(found: list[Row]) -> list[Row]:
        for row in found:
            if card in (None, row[1]) and since <= row[0] <= until:
                row[AT[field]] = value(row) if callable(value) else value
        return found

    return plant


def without(card: int | None, since: float, until: float = 1e9) -> Callable[[list[Row]], list[Row]]:
    return lambda found: [r for r in found if card not in (None, r[1]) or not since <= r[0] <= until]


def mute(card: int, since: float) -> Callable[[list[Row]], list[Row]]:
    """The card goes on without a value, as one that the driver has lost."""
    return lambda found: [
        [*r[:2], *([None] * len(FIELDS))] if r[1] == card and r[0] >= since else r for r in found
    ]


def frozen(card: int, since: float) -> Callable[[list[Row]], list[Row]]:
    def plant(found: list[Row]) -> list[Row]:
        first = next(r for r in found if r[1] == card and r[0] >= since)
        return [[r[0], card, *first[2:]] if r[1] == card and r[0] >= since else r for r in found]

    return plant


def to_limit(found: list[Row]) -> list[Row]:
    """As a load that draws the whole limit: power scaled up, and the driver's cap told."""
    mean = sum(r[AT["power.draw"]] for r in found) / len(found)
    edit("power.draw", lambda r: round(r[AT["power.draw"]] * 0.99 * 700 / mean, 2), None)(found)
    return edit("clocks_event_reasons.active", "0x0000000000000004", None)(found)


def mask(bits: int) -> str:
    return f"0x{bits:016x}"


@dataclass(frozen=True)
class LoadFault:
    name: str
    plant: Callable[[list[Row]], list[Row]]
    kind: str
    card: int | None = 1
    to_target: bool = False


LOAD_FAULTS = [
    LoadFault("GPU that was never there", without(1, 0), "vanished"),
    LoadFault("GPU falls off mid-run", without(1, 90), "vanished"),
    LoadFault("GPU falls off mid-run and stays in the list", mute(1, 90), "vanished"),
    LoadFault("nvidia-smi stops mid-run", without(None, 90), "gap", None),
    LoadFault("telemetry has a hole", without(None, 60, 70), "gap", None),
    LoadFault("stale nvidia-smi", frozen(1, 60), "stale"),
    LoadFault("Gen4 under load", edit("pcie.link.gen.current", 4), "link"),
    LoadFault("x8 link under load", edit("pcie.link.width.current", 8), "link"),
    LoadFault("link drops half-way", edit("pcie.link.gen.current", 1, since=90), "link"),
    LoadFault("hot under load", edit("temperature.gpu", 91, since=100, until=101), "hot"),
    LoadFault(
        "thermal throttle", edit("clocks_event_reasons.active", mask(0x48), since=100, until=103), "heat"
    ),
    LoadFault("thermal throttle by the driver", edit("clocks_event_reasons.active", mask(0x20)), "heat"),
    LoadFault(
        "power-brake throttle",
        edit("clocks_event_reasons.active", mask(0x88), since=50, until=50),
        "power_brake",
    ),
    LoadFault("hardware slowdown", edit("clocks_event_reasons.active", mask(0x8)), "slowdown"),
    LoadFault("power cap lowered mid-run", edit("power.limit", 450.0, since=120), "power_limit"),
    LoadFault(
        "power below its target",
        lambda r: edit("power.draw", lambda x: x[AT["power.draw"]] * 0.9)(to_limit(r)),
        "power",
        to_target=True,
    ),
    LoadFault(
        "power above its target",
        lambda r: edit("power.draw", lambda x: x[AT["power.draw"]] * 1.08)(to_limit(r)),
        "power",
        to_target=True,
    ),
    LoadFault("clocks low without a reason", edit("clocks.current.sm", 1200), "slow_clock"),
    LoadFault("utilization 70 %", edit("utilization.gpu", lambda r: 70 + int(r[0]) % 3), "idle"),
    LoadFault(
        "stopped fan",
        lambda r: edit("fan.speed", 0)(edit("temperature.gpu", lambda x: 70 + int(x[0]) % 5)(r)),
        "fan",
    ),
]
