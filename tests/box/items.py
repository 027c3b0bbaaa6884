"""What the tables of checks share: a check judges what was read, and each row shows an item whole and broken."""

from collections.abc import Callable
from typing import Any

from vcbox import checks
from vcbox.checks.base import Result


def judged(id: str, raw: Any, profile: dict[str, Any]) -> Result:
    module = checks.load(id)
    assert module
    return module.judge(raw, profile)


def assert_item(judge: Callable[[str, Any], Result], id: str, good: Any, bad: Any, word: str) -> None:
    """Whole it passes and asks for nothing; broken it fails, its value holds `word`, and it says what to do."""
    whole = judge(id, good)
    assert whole.verdict == "pass" and whole.next is None, whole
    broken = judge(id, bad)
    assert broken.verdict == "fail" and word in str(broken.value), broken
    assert broken.next and broken.threshold
