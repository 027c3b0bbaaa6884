"""Windows of telemetry that nobody wrote down: a seed makes cards at work, of any number and for any time, and what goes wrong."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from vcbox.telemetry import FIELDS
from vcbox.windows import Window, judge

from loaded import AT, Row, mask
from machine import profile

RULES = Callable[["Work"], tuple[str, int | None]]
IDLE, CAP = 0x1, 0x4


@dataclass
class Work:
    """Rows of `count` cards from `since` to `until`, `period` seconds apart, and how the profile would have them."""

    rng: random.Random
    gpu: dict[str, Any]
    count: int
    since: float
    until: float
    period: float
    to_target: bool
    rows: list[Row] = field(default_factory=list)

    def any_card(self) -> int:
        return self.rng.randrange(self.count)

    def middle(self, length: float) -> float:
        """When something may begin that lasts so long."""
        return self.rng.uniform(self.since + 5, max(self.since + 6, self.until - length - 2))

    def set(
        self, name: str, card: int, value: Callable[[Row], Any], since: float = 0.0, until: float = 1e12
    ) -> None:
        for row in self.rows:
            if row[1] == card and since <= row[0] <= until:
                row[AT[name]] = value(row)

    def window(self) -> Window:
        return Window(self.since, self.until, self.count, to_target=self.to_target)


def work(rng: random.Random, name: str) -> Work:
    """Healthy cards at work: warm, at their clocks or at their cap, with a short start and short waits."""
    gpu = profile(name)["gpu"]
    since = rng.uniform(10, 1e6)
    w = Work(
        rng,
        gpu,
        rng.randrange(1, 9),
        since,
        since + rng.uniform(125, 400),
        rng.choice([0.5, 1.0, 1.0, 2.0]),
        rng.random() < 0.5,
    )
    limit, fans = gpu["powerLimitW"]["value"], name == "vault-cube"
    for card in range(w.count):
        capped = w.to_target or rng.random() < 0.4
        level = rng.uniform(0.97, 1.02) if w.to_target else rng.uniform(0.4, 1.0)
        warm, clock = rng.uniform(45, 80), rng.uniform(1900, 2500)
        t = since + rng.uniform(0, w.period / 2)
        while t <= w.until:
            starting = t - since < 2.0
            waits = rng.random() < 0.02
            use = rng.choice([0, 5, 40]) if waits or starting else rng.choice([100, 100, 99, 97])
            row: Row = [round(t, 3), card, *([None] * len(FIELDS))]
            values = {
                "utilization.gpu": use,
                "memory.used": rng.randrange(1000, 30000),
                "memory.total": gpu["memoryMiB"]["value"],
                "temperature.gpu": round(warm + rng.uniform(-2, 3)),
                "power.draw": round(limit * level * rng.uniform(0.98, 1.02), 2),
                "power.limit": float(limit),
                "clocks.current.sm": round(
                    clock * (rng.uniform(0.55, 0.7) if capped else rng.uniform(0.97, 1.0))
                ),
                "clocks.current.memory": 2619,
                "fan.speed": rng.randrange(30, 90) if fans else None,
                "pcie.link.gen.current": 1
                if starting and rng.random() < 0.5 and use < 50
                else gpu["pcieGen"]["value"],
                "pcie.link.width.current": gpu["pcieWidth"]["value"],
                "clocks_event_reasons.active": mask(CAP if capped else IDLE if use == 0 else 0),
            }
            for field_name, value in values.items():
                row[AT[field_name]] = value
            w.rows.append(row)
            t += w.period * rng.uniform(0.97, 1.03)
    w.rows.sort(key=lambda r: r[0])
    return w


def vanishes(w: Work) -> tuple[str, int | None]:
    card, when = w.any_card(), w.middle(15)
    if w.count == 1:
        # The only one is gone when nothing is read any more.
        w.rows = [r for r in w.rows if r[0] < w.until - 20]
        return "gap", None
    if w.rng.random() < 0.5:
        w.rows = [r for r in w.rows if r[1] != card or r[0] < when]
    else:
        w.rows = [[*r[:2], *([None] * len(FIELDS))] if r[1] == card and r[0] >= when else r for r in w.rows]
    return "vanished", card


def hole(w: Work) -> tuple[str, int | None]:
    length = w.rng.uniform(5.2, 60) + 2 * w.period
    when = w.middle(length)
    w.rows = [r for r in w.rows if not when <= r[0] <= when + length]
    return "gap", None


def freezes(w: Work) -> tuple[str, int | None]:
    card, when = w.any_card(), w.since + w.rng.uniform(3, w.until - w.since - 75)
    first = next(r for r in w.rows if r[1] == card and r[0] >= when)
    for row in w.rows:
        if row[1] == card and row[0] >= when:
            row[2:] = first[2:]
    return "stale", card


def link(name: str, values: list[int]) -> RULES:
    def plant(w: Work) -> tuple[str, int | None]:
        card, value = w.any_card(), w.rng.choice(values)
        w.set(name, card, lambda _: value, since=w.since + w.rng.uniform(0, (w.until - w.since) * 0.7))
        return "link", card

    return plant


def throttled(kind: str, bits: list[int]) -> RULES:
    def plant(w: Work) -> tuple[str, int | None]:
        card, bit = w.any_card(), w.rng.choice(bits)
        when = w.middle(30)
        length = w.rng.uniform(3 * w.period, 30)
        w.set(
            "clocks_event_reasons.active",
            card,
            lambda r: mask(int(r[AT["clocks_event_reasons.active"]], 16) | bit),
            when,
            when + length,
        )
        return kind, card

    return plant


def hot(w: Work) -> tuple[str, int | None]:
    card, when = w.any_card(), w.middle(30)
    limit = w.gpu["underLoad"]["temperatureC"]["max"]
    w.set("temperature.gpu", card, lambda _: limit + w.rng.randrange(1, 15), when, when + 3 * w.period)
    return "hot", card


def power(w: Work) -> tuple[str, int | None]:
    w.to_target = True
    card, part = w.any_card(), w.rng.choice([w.rng.uniform(0.3, 0.94), w.rng.uniform(1.06, 1.3)])
    limit = w.gpu["powerLimitW"]["value"]
    for other in range(w.count):
        share = part if other == card else 1.0
        w.set("power.draw", other, lambda _, s=share: round(limit * s * w.rng.uniform(0.995, 1.005), 2))
    return "power", card


def lowered(w: Work) -> tuple[str, int | None]:
    card, limit = w.any_card(), w.gpu["powerLimitW"]["value"]
    w.set("power.limit", card, lambda _: round(limit * 0.8, 2), w.middle(10))
    return "power_limit", card


def slow(w: Work) -> tuple[str, int | None]:
    card, floor = w.any_card(), w.gpu["underLoad"]["smClockMHz"]["min"]
    clock = w.rng.uniform(300, floor - 20)
    w.set("clocks.current.sm", card, lambda _: round(clock + w.rng.uniform(-10, 10)))
    w.set("clocks_event_reasons.active", card, lambda _: mask(0))
    return "slow_clock", card


def idle(w: Work) -> tuple[str, int | None]:
    card, mean = w.any_card(), w.rng.uniform(0, 85)
    w.set("utilization.gpu", card, lambda _: round(max(0, min(100, mean + w.rng.uniform(-4, 4)))))
    return "idle", card


def fan(w: Work) -> tuple[str, int | None]:
    card, when = w.any_card(), w.middle(25)
    w.set("fan.speed", card, lambda _: 0, when)
    w.set("temperature.gpu", card, lambda _: w.rng.randrange(62, 80), when)
    return "fan", card


FAULTS: dict[str, RULES] = {
    "vanishes": vanishes,
    "hole": hole,
    "freezes": freezes,
    "generation": link("pcie.link.gen.current", [1, 2, 3, 4]),
    "width": link("pcie.link.width.current", [1, 2, 4, 8]),
    "heat": throttled("heat", [0x20, 0x40, 0x48, 0x60]),
    "power brake": throttled("power_brake", [0x80, 0x88]),
    "slowdown": throttled("slowdown", [0x8]),
    "hot": hot,
    "power": power,
    "lowered": lowered,
    "slow": slow,
    "idle": idle,
    "fan": fan,
}


@dataclass
class LoadTally:
    faults: int = 0
    named: int = 0
    missed: list[str] = field(default_factory=list)
    healthy: int = 0
    judged: int = 0
    alarms: list[str] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)


def run(seeds: range) -> LoadTally:
    tally = LoadTally()
    for seed in seeds:
        rng = random.Random(f"load {seed}")
        name = rng.choice(["two-h100", "vault-cube"])
        whole = profile(name)
        healthy = work(rng, name)
        found = judge(FIELDS, healthy.rows, healthy.window(), whole)
        tally.healthy += 1
        tally.judged += len(found.kinds)
        tally.alarms += [f"seed {seed}: {f.kind}: {f.sentence}" for f in found.findings]
        w = work(rng, name)
        fault = rng.choice(list(FAULTS))
        want = FAULTS[fault](w)
        found = judge(FIELDS, w.rows, w.window(), whole)
        tally.faults += 1
        tally.kinds.add(fault)
        if want in [(f.kind, f.card) for f in found.findings]:
            tally.named += 1
        else:
            tally.missed.append(
                f"seed {seed}: {fault}: wanted {want}, found {[(f.kind, f.card) for f in found.findings]}"
            )
    return tally
