"""Bits of NVML's clock event reasons, and what to do about each kind of finding (vcbox/windows.py)."""

SW_POWER_CAP = 0x4
REASONS = {
    0x8: "the hardware",
    0x20: "heat (driver)",
    0x40: "heat (hardware)",
    0x80: "a power brake",
}
COOLING = "Check fans, airflow, and the room's temperature; then the card's mounting and thermal paste."
SUPPLY = "Check the power cables at both ends, the power supply, and the circuit: it signals that it cannot give what is drawn."
BUS = (
    "Look for Xid 79 in the kernel log; switch the box off, reseat the card and its power cable, and give the box a circuit of its own; "
    "if the same card does it again in another slot, send it back (RMA)."
)
NEXT = {
    "vanished": BUS,
    "gap": "Look at the job's log for why nvidia-smi ended and at the kernel log for Xid, then run it again.",
    "stale": "nvidia-smi repeats itself: look at the kernel log for Xid 119, reboot, then run it again.",
    "link": "Check seating and riser, and the slot's generation and lanes in the BIOS.",
    "heat": COOLING,
    "power_brake": SUPPLY,
    "slowdown": f"{SUPPLY} Where heat is told as well: {COOLING}",
    "power": "Where it is too low, see the checks of power limit and throttling; where too high, the limit is not kept: update the driver.",
    "power_limit": "Set it back: `nvidia-smi -pl` with the default, and look for what sets it.",
    "hot": COOLING,
    "slow_clock": "Look for set clocks (`nvidia-smi -q -d CLOCK`), free them with `nvidia-smi -rgc`; then compare with the other cards.",
    "idle": "The program does not keep the card at work: look at its log, at the processors, and at whether the card hangs.",
    "fan": "Look whether the fan turns and nothing is in its way; if it does not, send the card back (RMA).",
}
