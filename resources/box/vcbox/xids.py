"""What an Xid means for the person in front of the box, and what to do. After NVIDIA's Xid catalogue (docs.nvidia.com/deploy/xid-errors)."""

from typing import NamedTuple


class Meaning(NamedTuple):
    sentence: str
    next: str


RESEAT = (
    "Switch the box off, reseat the card and its power cable, and give the box a circuit of its own (repeated Xid 79 was cured so: "
    "NVIDIA/open-gpu-kernel-modules#1151); if the same card does it again in another slot, send it back (RMA)."
)
RESET = "Reset the card or reboot, then run the suite again; if it comes again on the same card, send it back (RMA)."
RMA = "Send the card back (RMA), with this log as evidence."
FIELD = (
    "Run the suite again; if it comes again on the same card with another program, send the card back (RMA)."
)
PROGRAM = "Look at the program that ran then; if others do it too on the same card, run the memory test and the soak."
GSP = (
    "Reboot, then run the suite again; update the driver if it comes again: such failures were seen at 50 to 57 °C and are not heat "
    "(NVIDIA/open-gpu-kernel-modules#1080)."
)
LINK = "Switch the box off, reseat the cards and the bridge between them, then run the suite again; if it stays, send the card back (RMA)."

MEANINGS: dict[int, Meaning] = {
    13: Meaning("a program made the card's engine stumble", PROGRAM),
    31: Meaning("a program touched memory of the card that it had not", PROGRAM),
    32: Meaning("a command stream reached the card corrupted, which can come from the bus", RESEAT),
    38: Meaning("the driver's firmware failed", RESET),
    43: Meaning("a program's work on the card was stopped", PROGRAM),
    45: Meaning("work on the card was ended early, often after another error", "Look at the Xid before it."),
    46: Meaning("the card stopped working on what it was given", RESET),
    48: Meaning("memory of the card had an error that could not be corrected (double-bit ECC)", RESET),
    54: Meaning(
        "the card has not the power cable it needs", "Connect the card's power cable; check it at both ends."
    ),
    56: Meaning("the display engine of the card failed", RESET),
    57: Meaning("the card could not drive its memory link", RMA),
    58: Meaning("the card's memory was read unsteadily", RMA),
    61: Meaning("the card's microcontroller warned of itself", RESET),
    62: Meaning("the card's microcontroller halted", RESET),
    63: Meaning(
        "a row of the card's memory is to be replaced by a spare one",
        "Reset the card or reboot, which replaces it, then run the suite again.",
    ),
    64: Meaning("a row of the card's memory could not be replaced", RMA),
    65: Meaning("the card's video engine failed", RESET),
    68: Meaning("the card's video decoder failed", FIELD),
    69: Meaning("the card's graphics engine failed", FIELD),
    73: Meaning("the card's video encoder failed", FIELD),
    74: Meaning("the link between two cards (NVLink) failed", LINK),
    79: Meaning("the card has fallen off the bus", RESEAT),
    80: Meaning("the card was sent corrupted data", RESEAT),
    81: Meaning("the card's display subsystem failed", RESET),
    92: Meaning("the card's memory corrects single-bit errors at a high rate", RMA),
    94: Meaning("an error of the card's memory ended one program (contained ECC)", RESET),
    95: Meaning("an error of the card's memory reached every program (uncontained ECC)", RESET),
    109: Meaning("the card did not switch between programs in time", GSP),
    110: Meaning("the card reported a security fault", RESET),
    119: Meaning("the card's firmware (GSP) did not answer", GSP),
    120: Meaning("the card's firmware (GSP) failed", GSP),
    121: Meaning("the link between processor and card (C2C) corrected an error", FIELD),
    140: Meaning("memory of the card had an error that could not be corrected", RESET),
    143: Meaning("the card could not be started", RESEAT),
    154: Meaning(
        "the driver asks that the card be recovered",
        "Reset the card or reboot as the line says, then run the suite again.",
    ),
}
UNKNOWN = Meaning(
    "the driver reported an error that this version has no sentence for",
    "Look the number up in NVIDIA's Xid catalogue.",
)


def meaning(xid: int) -> Meaning:
    return MEANINGS.get(xid, UNKNOWN)
