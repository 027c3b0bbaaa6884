"""What the monitoring shows is what nvidia-smi tells, and its commands lead to this version's suites."""

from vcbox.checks import together_look
from vcbox.checks.base import Look, Raw

ID, TITLE, SUITE, NEEDS = "t8_monitoring", "Monitoring agrees with nvidia-smi", "integration", 5
judge = together_look.judge


def gather(look: Look) -> Raw:
    return together_look.gather(look, ("l5_monitor", "l5_commands"))
