"""Suite T1 against its bars: planted faults found and named, generated ones too, and no false alarm.

`python3 tests/bench/t1.py [--runs 500] [--seed 0]`. Standard library only, no GPU. Prints a bar line each; exit 1 when one is missed.
"""

import argparse
import sys
import tempfile
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPO / "tests" / "box"), str(REPO / "resources" / "box")]
sys.dont_write_bytecode = True
import generate
import loadgen
from loaded import LOAD_FAULTS, recorded, rows, to_limit, window
from machine import Machine, profile
from planted import FAULTS
from vcbox.outcome import expectation_of
from vcbox.telemetry import FIELDS
from vcbox.windows import Window, judge

KINDS_WANTED = 25


class Bars:
    missed = 0

    def bar(self, name: str, measured: str, wanted: str, met: bool) -> None:
        self.missed += not met
        print(
            f"bar: {name}: measured {measured}, wanted {wanted}: {'met' if met else 'missed'}",
            flush=True,
        )


def planted(bars: Bars) -> None:
    """Each fault on every machine it can be planted into, through the fault-injecting nvidia-smi."""
    tried, unnamed = 0, []
    for fault in FAULTS:
        for shape in fault.shapes:
            with tempfile.TemporaryDirectory() as folder:
                machine = Machine(Path(folder), shape)
                fault.plant(machine)
                found = machine.verdicts()[fault.check]
            tried += 1
            if found["verdict"] != fault.verdict or fault.word not in str(
                found["value"]
            ):
                unnamed.append(
                    f"{fault.name} [{shape}]: {found['verdict']} {found['value']}"
                )
    for fault in LOAD_FAULTS:
        judged = judge(
            FIELDS,
            fault.plant(rows()),
            window(to_target=fault.to_target),
            profile("two-h100"),
        )
        tried += 1
        if (fault.kind, fault.card) not in [(f.kind, f.card) for f in judged.findings]:
            unnamed.append(f"{fault.name}: {judged.findings}")
    print(
        "\n".join(f"  not named: {line}" for line in unnamed)
        or f"  {tried} plantings, all named"
    )
    kinds = len(FAULTS) + len(LOAD_FAULTS)
    bars.bar(
        "planted faults: kinds",
        str(kinds),
        f"at least {KINDS_WANTED}",
        kinds >= KINDS_WANTED,
    )
    bars.bar(
        "planted faults named", f"{tried - len(unnamed)} of {tried}", "all", not unnamed
    )


def healthy(bars: Bars) -> None:
    """The recorded machines and the edited one, and what the recorded cards told at rest, at work and through a whole run."""
    ran, alarms = 0, []
    for shape in ("h100", "h200", "cube"):
        with tempfile.TemporaryDirectory() as folder:
            machine = Machine(Path(folder), shape)
            found = machine.verdicts()
        for id, r in found.items():
            if expectation_of(machine.profile, id, "real")["kind"] == "informative":
                continue
            ran += r["verdict"] not in ("not_run", "not_supported")
            if r["verdict"] in ("fail", "error", "warn"):
                alarms.append(f"{shape}: {id}: {r['value']}")
    whole = recorded()
    windows = [
        (rows(), window()),
        (to_limit(rows()), window(to_target=True)),
        (whole, Window(whole[0][0], whole[-1][0], cards=2, busy=False)),
    ]
    for given, of in windows:
        judged = judge(FIELDS, given, of, profile("two-h100"))
        ran += len(judged.kinds)
        alarms += [f.sentence for f in judged.findings]
    print(
        "\n".join(f"  alarm: {line}" for line in alarms)
        or f"  {ran} required verdicts ran on healthy captures"
    )
    bars.bar(
        "false alarms on healthy captures",
        f"{len(alarms)} of {ran}",
        "0",
        not alarms and ran > 0,
    )


def generated(bars: Bars, first: int, runs: int) -> None:
    seeds = range(first, first + runs)
    found, load = generate.run(seeds), loadgen.run(seeds)
    for line in [
        *found.missed,
        *found.passed,
        *found.alarms,
        *load.missed,
        *load.alarms,
    ][:40]:
        print(f"  {line}")
    print(
        f"  {runs} runs from seed {first}: {len(found.kinds)} and {len(load.kinds)} kinds came up"
    )
    named, faults = found.named + load.named, found.faults + load.faults
    bars.bar(
        "generated faults named", f"{named} of {faults}", "all", named == faults > 0
    )
    bars.bar("generated faults passed", str(len(found.passed)), "0", not found.passed)
    ran, alarms = found.judged + load.judged, len(found.alarms) + len(load.alarms)
    bars.bar(
        "false alarms on generated healthy machines",
        f"{alarms} of {ran}",
        "0",
        alarms == 0 and ran > 0,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    bars = Bars()
    planted(bars)
    healthy(bars)
    generated(bars, args.seed, args.runs)
    print(f"{bars.missed} missed" if bars.missed else "all met")
    return 1 if bars.missed else 0


if __name__ == "__main__":
    sys.exit(main())
