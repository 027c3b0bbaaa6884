"""Fixtures of the tests beside: boxes in temporary folders (harness.py)."""

import os
from pathlib import Path
from typing import Any

import pytest

from harness import FIXTURES, REPO, SOURCE, Box, events, processes_of, wait_until

__all__ = ["FIXTURES", "REPO", "SOURCE", "Box", "events", "processes_of", "wait_until"]
pytest.register_assert_rewrite("items")


@pytest.fixture(params=["cgroup", "no-cgroup"])
def any_box(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A box in each of the two ways without systemd."""
    yield from _box(tmp_path, ["--no-cgroup"] if request.param == "no-cgroup" else [])


@pytest.fixture
def box(tmp_path: Path) -> Any:
    yield from _box(tmp_path, [])


def _box(base: Path, options: list[str]) -> Any:
    if os.geteuid() != 0:
        pytest.skip("the runner needs root")
    found = Box(base, options)
    yield found
    found.stop_all()
