"""What a list of check results comes to: the rules of preload/contract/outcome.ts, for commands that run on the box alone.

One table of cases (tests/fixtures/outcomes.json) is decided by both in tests, so that they do not drift apart.
"""

from typing import Any

EXIT_CODES = {"passed": 0, "passed_with_deviations": 10, "failed": 20, "incomplete": 21}
WORDS = {
    "passed": "passed",
    "passed_with_deviations": "passed with deviations",
    "failed": "failed",
    "incomplete": "incomplete",
}
REQUIRED = {"kind": "required"}


def expectation_of(profile: dict[str, Any], check: str, evidence: str) -> dict[str, Any]:
    """How the profile regards a check whose result carries this evidence."""
    if evidence != "real":
        found = (profile.get("standInExpectations") or {}).get(check)
        if found:
            return found
    return (profile.get("expectations") or {}).get(check) or REQUIRED


def classify(verdict: str, expectation: dict[str, Any]) -> str:
    """What a check contributes: "ok", "failures", "missing" or "deviations"."""
    if expectation["kind"] == "informative" or verdict == "pass":
        return "ok"
    if verdict == "warn":
        return "deviations"
    if verdict in ("fail", "error"):
        return "failures"
    expected = expectation["kind"] == "expected" and verdict in expectation["verdicts"]
    return "deviations" if expected else "missing"


def decide(checks: list[tuple[str, dict[str, Any]]]) -> str:
    """The outcome of `(verdict, expectation)` of each check; none at all is incomplete."""
    lists = {classify(verdict, expectation) for verdict, expectation in checks}
    if "failures" in lists:
        return "failed"
    if "missing" in lists or not checks:
        return "incomplete"
    return "passed_with_deviations" if "deviations" in lists else "passed"
