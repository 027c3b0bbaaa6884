"""A container that asks for nothing special runs under nvidia's runtime and sees the GPUs."""

from vcbox.checks import together_look
from vcbox.checks.base import Look, Raw

ID, TITLE, SUITE, NEEDS = "t8_container", "A container runs under the default runtime", "integration", 3
judge = together_look.judge


def gather(look: Look) -> Raw:
    return together_look.gather(look, ("l3_default_runtime", "l1_docker_container", "l3_container_gpus"))
