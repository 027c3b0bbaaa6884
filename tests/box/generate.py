"""Runs generated faults (generated.py) through the checks of suite T1, and counts what they say."""

import random
import tempfile
import xml.etree.ElementTree as ET
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vcbox.outcome import decide, expectation_of

from generated import ALONE, HIDES, MUTATIONS, Expected, Sample, ease
from machine import Machine

ALARMS = ("fail", "error", "warn")


class TextMachine(Machine):
    """Answers with texts that were made before, not with a program: a run takes milliseconds."""

    text = ""

    def run(self, argv: tuple[str, ...], timeout: float) -> tuple[int, str, str]:
        if argv[0] == "nvidia-smi":
            return 0, self.text, ""
        return super().run(argv, timeout)


@dataclass
class Tally:
    """What came of the runs: `missed` are faults that the check which has to name them did not, `alarms` those of healthy runs."""

    faults: int = 0
    named: int = 0
    missed: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    healthy: int = 0
    judged: int = 0
    alarms: list[str] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)


class Bench:
    def __init__(self, folder: Path, shape: str) -> None:
        self.machine = TextMachine(folder, shape)
        status, text, err = Machine.run(self.machine, ("nvidia-smi", "-q", "-x"), 60)
        assert status == 0, err
        self.root = ET.fromstring(text)
        for card in self.root.findall("gpu"):
            clocks = card.find("supported_clocks")
            assert clocks is not None
            clocks.clear()

    def sample(self, rng: random.Random) -> Sample:
        assert self.machine.log is not None
        found = Sample(self.machine, deepcopy(self.root), [], rng)
        ease(found)
        return found

    def verdicts(self, s: Sample) -> dict[str, dict[str, Any]]:
        machine = self.machine
        # The recording's time is that of the sample; the answer's own is judged in planted.py.
        stamp = s.root.find("timestamp")
        assert stamp is not None
        stamp.text = "N/A"
        machine.text, machine.log = s.xml(), "\n".join(s.lines) + "\n"
        machine.put("/sys/module/nvidia/version", s.module)
        for card in range(machine.count):
            for above in (False, True):
                device = machine.device(card)
                machine.count_errors(device.parent if above else device, **s.counted.get((card, above), {}))
        return machine.verdicts()

    def outcome(self, found: dict[str, dict[str, Any]]) -> str:
        return decide(
            [(r["verdict"], expectation_of(self.machine.profile, i, "real")) for i, r in found.items()]
        )


def plant(s: Sample) -> tuple[list[str], Expected]:
    """One to three faults, none of which hides another. Of two for one check the worse verdict is said."""
    count = s.rng.choice([1, 1, 1, 2, 3])
    names: list[str] = []
    wanted: Expected = {}
    for name in s.rng.sample(list(MUTATIONS), len(MUTATIONS)):
        if (names and name in ALONE) or HIDES.get(name, set()) & set(names):
            continue
        found = MUTATIONS[name](s)
        if found is None:
            continue
        names.append(name)
        for check, verdicts in found.items():
            wanted[check] = verdicts | wanted.get(check, verdicts)
        if len(names) == count or name in ALONE:
            break
    return names, wanted


def run(seeds: range) -> Tally:
    """Each seed: a healthy machine, then one with faults; the two shapes take turns."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        benches = [Bench(Path(a), "h100"), Bench(Path(b), "cube")]
        for seed in seeds:
            rng = random.Random(seed)
            bench = benches[seed % 2]
            healthy = bench.verdicts(bench.sample(rng))
            tally.healthy += 1
            for id, r in healthy.items():
                if expectation_of(bench.machine.profile, id, "real")["kind"] == "informative":
                    continue
                tally.judged += r["verdict"] not in ("not_run", "not_supported")
                if r["verdict"] in ALARMS:
                    tally.alarms.append(f"seed {seed}: {id} {r['verdict']}: {r['value'] or r['reason']}")
            s = bench.sample(rng)
            names, wanted = plant(s)
            found = bench.verdicts(s)
            tally.kinds |= set(names)
            for check, verdicts in wanted.items():
                tally.faults += 1
                if found[check]["verdict"] in verdicts:
                    tally.named += 1
                else:
                    tally.missed.append(
                        f"seed {seed}: {names}: {check} says {found[check]['verdict']}: {found[check]['value']}"
                    )
            informative = all(
                expectation_of(bench.machine.profile, c, "real")["kind"] == "informative" for c in wanted
            )
            if bench.outcome(found) == "passed" and not informative:
                tally.passed.append(f"seed {seed}: {names}")
    return tally
