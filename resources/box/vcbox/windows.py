"""What telemetry says of the cards in a measured window: pure judgements, which the suites with load call.

Rows are telemetry's: `[seconds, card, a value or None for each field]`, the times by the box's monotonic clock. Fields are found by
name, so that older journals with fewer of them are judged by what they have. What cannot be judged is named as such.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean, median
from typing import Any

from vcbox.windows_words import NEXT, REASONS, SW_POWER_CAP

# A card at work: below this many per cent of use it waits for its program.
BUSY_PERCENT = 50.0
# The part of a card's busy readings that may show a lower link: it comes up with the load, not before it.
LINK_SHARE = 0.05
# A fan takes some seconds to start.
FAN_SECONDS = 10.0
LIMIT_ROUNDING_W = 1.0
# Values of which at least one moves with every reading of a card at work.
LIVELY = ("power.draw", "temperature.gpu", "utilization.gpu", "clocks.current.sm")

Reading = tuple[float, dict[str, Any]]
Series = dict[int, list[Reading]]


@dataclass(frozen=True)
class Window:
    """From when to when, how many cards must be there, and what they were made to do meanwhile."""

    since: float
    until: float
    cards: int
    # Whether each card was kept at work all the time.
    busy: bool = True
    # Whether the load is made to draw the whole of the power limit.
    to_target: bool = False


@dataclass(frozen=True)
class Finding:
    """One fault of one card; `card` None where it is of all of them."""

    kind: str
    card: int | None
    sentence: str
    value: float | int | str
    unit: str | None
    threshold: str
    source: str | None
    next: str


@dataclass
class Judged:
    """What was found, what was judged at all, and of what else why not."""

    findings: list[Finding] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    unjudged: dict[str, str] = field(default_factory=dict)


def series(fields: Sequence[str], rows: Iterable[Sequence[Any]], window: Window) -> Series:
    """Each card's readings in the window, in their order; values that are not told are absent."""
    found: Series = {}
    for time, card, *values in rows:
        if window.since <= time <= window.until:
            told = {name: v for name, v in zip(fields, values, strict=False) if v is not None}
            found.setdefault(card, []).append((time, told))
    for readings in found.values():
        readings.sort(key=lambda r: r[0])
    return found


def judge(
    fields: Sequence[str], rows: Iterable[Sequence[Any]], window: Window, profile: dict[str, Any]
) -> Judged:
    """All rules over one window. Thresholds are the profile's `gpu` and its `underLoad`."""
    look = _Look(series(fields, rows, window), window, profile)
    for kind, rule in RULES.items():
        rule(look, kind)
    return look.judged


class _Look:
    """A window with the profile's numbers, gathering what the rules find."""

    def __init__(self, readings: Series, window: Window, profile: dict[str, Any]) -> None:
        self.readings = readings
        self.window = window
        gpu = profile.get("gpu")
        self.gpu: dict[str, Any] = gpu if isinstance(gpu, dict) else {}
        self.load: dict[str, Any] = self.gpu.get("underLoad") or {}
        self.judged = Judged()

    def limit(self, kind: str, of: dict[str, Any], name: str, key: str) -> tuple[Any, str | None]:
        """A number of the profile and its source; None where it names none, which is noted."""
        entry = of.get(name)
        if not isinstance(entry, dict) or key not in entry:
            self.judged.unjudged[kind] = f"the profile names no {name}"
            return None, None
        return entry[key], entry.get("source")

    def told(self, kind: str, name: str, busy: bool = False) -> dict[int, list[tuple[float, Any]]]:
        """Of each card that tells `name` its readings, only those at work if asked; where no card does, that is noted."""
        found = {
            card: [(t, v[name]) for t, v in readings if name in v and (not busy or at_work(v))]
            for card, readings in self.readings.items()
        }
        found = {card: values for card, values in found.items() if values}
        if found:
            self.judged.kinds.append(kind)
        else:
            what = "no card tells" if not busy else "no card that was at work tells"
            self.judged.unjudged[kind] = f"{what} {name}"
        return found

    def add(
        self,
        kind: str,
        card: int | None,
        sentence: str,
        value: Any,
        threshold: str,
        unit: str | None = None,
        source: str | None = None,
    ) -> None:
        who = "" if card is None else f"GPU {card}: "
        self.judged.findings.append(
            Finding(kind, card, who + sentence, value, unit, threshold, source, NEXT[kind])
        )


def at_work(values: dict[str, Any]) -> bool:
    """Whether a reading is of a card at work; of one that does not tell its use too."""
    return values.get("utilization.gpu", 100) >= BUSY_PERCENT


def _longest(readings: Sequence[Reading], holds: Callable[[dict[str, Any]], bool]) -> float:
    """The longest time over which every reading holds, in seconds."""
    longest, start = 0.0, None
    for time, values in readings:
        start = (time if start is None else start) if holds(values) else None
        longest = max(longest, time - start if start is not None else 0.0)
    return longest


def _vanished(look: _Look, kind: str) -> None:
    """Cards that were never read, that stopped, or that went on without values."""
    window = look.window
    gap, source = look.limit(kind, look.load, "gapSeconds", "max")
    if gap is None:
        return
    look.judged.kinds.append(kind)
    last = max((r[-1][0] for r in look.readings.values()), default=window.since)
    for card in range(window.cards):
        readings = look.readings.get(card)
        want = {"threshold": "there to the end", "source": source, "unit": "s"}
        if readings is None:
            look.add(kind, card, "it was never read", 0, **want)
            continue
        alive = [t for t, v in readings if any(name in v for name in LIVELY)]
        seen = round((alive[-1] if alive else window.since) - window.since, 1)
        if not alive or last - alive[-1] > gap:
            look.add(kind, card, f"gone {seen} s after the start, while others went on", seen, **want)


def _gap(look: _Look, kind: str) -> None:
    """Times without any reading, of which nothing is known; at the window's ends, too."""
    limit, source = look.limit(kind, look.load, "gapSeconds", "max")
    if limit is None:
        return
    look.judged.kinds.append(kind)
    times = sorted({t for readings in look.readings.values() for t, _ in readings})
    edges = [look.window.since, *times, look.window.until]
    worst = max((b - a for a, b in pairwise(edges)), default=0.0)
    if worst > limit:
        look.add(
            kind,
            None,
            f"no reading for {worst:.1f} s",
            round(worst, 1),
            f"at most {limit} s",
            unit="s",
            source=source,
        )


def _stale(look: _Look, kind: str) -> None:
    limit, source = look.limit(kind, look.load, "staleSeconds", "max")
    if limit is None:
        return
    if not look.window.busy:
        look.judged.unjudged[kind] = "cards at rest may tell the same for long"
        return
    for card in look.told(kind, "power.draw"):
        worst, start, before = 0.0, 0.0, None
        for time, values in look.readings[card]:
            now = [values.get(name) for name in LIVELY]
            start = start if now == before else time
            before = now
            worst = max(worst, time - start)
        if worst > limit:
            look.add(
                kind,
                card,
                f"no value changed for {worst:.0f} s",
                round(worst, 1),
                f"at most {limit} s",
                unit="s",
                source=source,
            )


def _link(look: _Look, kind: str) -> None:
    gen, source = look.limit(kind, look.gpu, "pcieGen", "value")
    width, _ = look.limit(kind, look.gpu, "pcieWidth", "value")
    if gen is None or width is None:
        return
    widths = look.told(kind, "pcie.link.width.current", busy=True)
    generations = look.told(kind, "pcie.link.gen.current", busy=True)
    for card in sorted(widths.keys() & generations.keys()):
        pairs = list(zip(generations[card], widths[card], strict=False))
        low = [(g, w) for (_, g), (_, w) in pairs if g < gen or w < width]
        if len(low) > max(1, LINK_SHARE * len(pairs)):
            worst = min(low)
            text = f"Gen{worst[0]} x{worst[1]}"
            look.add(kind, card, f"the link is {text} under load", text, f"Gen{gen} x{width}", source=source)


def _throttled(bits: Sequence[int]) -> Callable[[_Look, str], None]:
    def rule(look: _Look, kind: str) -> None:
        fine, source = look.limit(kind, look.gpu, "throttleAcceptable", "value")
        if fine is None:
            return
        for card, values in look.told(kind, "clocks_event_reasons.active").items():
            masks = [mask_of(v) for _, v in values]
            hit = [m for m in masks if any(m & bit for bit in bits)]
            if not hit:
                continue
            words = ", ".join(REASONS[b] for b in bits if any(m & b for m in hit))
            share = round(100 * len(hit) / len(masks), 1)
            look.add(
                kind,
                card,
                f"slowed down by {words} in {share} % of the time",
                share,
                "never",
                unit="%",
                source=source,
            )

    return rule


def mask_of(value: Any) -> int:
    """A bit mask as telemetry keeps it ("0x0000000000000004"); a number is taken as one."""
    try:
        return int(value, 16) if isinstance(value, str) else int(value)
    except ValueError:
        return 0


def _power(look: _Look, kind: str) -> None:
    ratio, source = look.limit(kind, look.load, "powerOfTarget", "min")
    if ratio is None:
        return
    entry, window = look.load["powerOfTarget"], look.window
    if not window.to_target:
        look.judged.unjudged[kind] = "this load is not made to draw the whole limit"
        return
    if window.until - window.since < entry["seconds"]:
        look.judged.unjudged[kind] = f"the window is shorter than {entry['seconds']} s"
        return
    limits = {c: median(v for _, v in values) for c, values in look.told(kind, "power.limit").items()}
    target = look.gpu.get("powerLimitW", {}).get("value")
    for card, values in look.told(kind, "power.draw").items():
        aim = target or limits.get(card)
        if not aim:
            continue
        part = fmean(v for _, v in values) / aim
        if not ratio <= part <= entry["max"]:
            text = f"draws {part:.2f} of its {aim:g} W on average"
            look.add(
                kind, card, text, round(part, 3), f"{ratio} to {entry['max']} of the target", source=source
            )


def _power_limit(look: _Look, kind: str) -> None:
    want, source = look.limit(kind, look.gpu, "powerLimitW", "value")
    if want is None:
        return
    for card, values in look.told(kind, "power.limit").items():
        least = min(v for _, v in values)
        if least < want - LIMIT_ROUNDING_W:
            look.add(
                kind, card, f"its power limit was {least:g} W", least, f"{want:g} W", unit="W", source=source
            )


def _hot(look: _Look, kind: str) -> None:
    limit, source = look.limit(kind, look.load, "temperatureC", "max")
    if limit is None:
        return
    for card, values in look.told(kind, "temperature.gpu").items():
        most = max(v for _, v in values)
        if most > limit:
            look.add(
                kind, card, f"{most} °C at its hottest", most, f"at most {limit} °C", unit="°C", source=source
            )


def _slow(look: _Look, kind: str) -> None:
    floor, source = look.limit(kind, look.load, "smClockMHz", "min")
    if floor is None:
        return
    for card, values in look.told(kind, "clocks.current.sm", busy=True).items():
        busy = [v for _, v in look.readings[card] if at_work(v)]
        capped = [v for v in busy if mask_of(v.get("clocks_event_reasons.active", 0)) & SW_POWER_CAP]
        middle = median(v for _, v in values)
        # At its power limit a card is as fast as it may be.
        if middle < floor and len(capped) < len(busy) / 2:
            look.add(
                kind,
                card,
                f"its SM clock was {middle:g} MHz",
                middle,
                f"at least {floor} MHz",
                unit="MHz",
                source=source,
            )


def _idle(look: _Look, kind: str) -> None:
    floor, source = look.limit(kind, look.load, "utilizationPercent", "min")
    if floor is None:
        return
    if not look.window.busy:
        look.judged.unjudged[kind] = "the cards were not kept at work"
        return
    for card, values in look.told(kind, "utilization.gpu").items():
        mean = fmean(v for _, v in values)
        if mean < floor:
            look.add(
                kind,
                card,
                f"it was in use {mean:.0f} % of the time",
                round(mean, 1),
                f"at least {floor} %",
                unit="%",
                source=source,
            )


def _fan(look: _Look, kind: str) -> None:
    rests, source = look.limit(kind, look.gpu, "fanRestsBelowC", "max")
    if rests is None:
        return
    for card in look.told(kind, "fan.speed"):
        still = _longest(
            look.readings[card], lambda v: v.get("fan.speed") == 0 and v.get("temperature.gpu", 0) >= rests
        )
        if still >= FAN_SECONDS:
            look.add(
                kind,
                card,
                f"its fan stood for {still:.0f} s while it was warm",
                round(still, 1),
                f"turns from {rests} °C on",
                unit="s",
                source=source,
            )


RULES: dict[str, Callable[[_Look, str], None]] = {
    "vanished": _vanished,
    "gap": _gap,
    "stale": _stale,
    "link": _link,
    "heat": _throttled((0x20, 0x40)),
    "power_brake": _throttled((0x80,)),
    "slowdown": _throttled((0x8,)),
    "power": _power,
    "power_limit": _power_limit,
    "hot": _hot,
    "slow_clock": _slow,
    "idle": _idle,
    "fan": _fan,
}
