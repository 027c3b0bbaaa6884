"""The administrator imports each framework in its own environment, which is exactly its lock file."""

from vcbox.checks import together_look
from vcbox.checks.base import Look, Raw

ID, TITLE, SUITE, NEEDS = (
    "t8_frameworks",
    "Frameworks import in their environments as the administrator",
    "integration",
    4,
)
NAMES = ("torch", "tensorflow", "vllm")
judge = together_look.judge


def gather(look: Look) -> Raw:
    return together_look.gather(look, [f"l4_{n}_{what}" for n in NAMES for what in ("environment", "import")])
