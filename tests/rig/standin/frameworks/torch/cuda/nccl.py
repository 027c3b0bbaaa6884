from importlib import metadata


def version() -> tuple[int, ...]:
    return tuple(int(part) for part in metadata.version("nvidia-nccl-cu13").split("."))
