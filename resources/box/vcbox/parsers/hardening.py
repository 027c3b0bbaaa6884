"""What auditctl, AppArmor, dpkg and OpenSCAP print or leave, read for the checks of layer 6."""

import re
import xml.etree.ElementTree as ET
from collections import Counter
from typing import Any

RULE_WORDS = {"-w": "path", "path": "path", "dir": "path", "-k": "key", "key": "key", "arch": "arch"}
# An attachment may have braces of its own; comments do not count.
COMPLAIN = re.compile(
    r'^[ \t]*(?:profile[ \t]+)?("[^"\n]+"|[^\s#{"]+)[^\n]*\bflags=\([^)\n]*\bcomplain\b', re.MULTILINE
)
CONFFILE = re.compile(r"^ *(/\S+) ([0-9a-f]{32})(?: .*)?$", re.MULTILINE)


def parse_audit_status(text: str) -> dict[str, str]:
    """`auditctl -s`: `enabled` (2: locked until the next boot), `pid` of the daemon (0: none), and the rest."""
    pairs = (line.split(None, 1) for line in text.splitlines())
    return {pair[0]: pair[1].strip() for pair in pairs if len(pair) == 2}


def parse_audit_rules(text: str) -> list[dict[str, str]]:
    """`auditctl -l`: of each rule its `key`, and where it has them `path` (or folder) and `arch`."""
    rules = []
    for line in text.splitlines():
        rule, words = {}, line.split()
        for word, after in zip(words, [*words[1:], ""], strict=True):
            name, sep, value = word.partition("=")
            if sep and name in RULE_WORDS:
                rule[RULE_WORDS[name]] = value
            elif word in RULE_WORDS and word.startswith("-"):
                rule[RULE_WORDS[word]] = after
        if rule:
            rules.append(rule)
    return rules


def parse_apparmor(text: str) -> dict[str, str]:
    """The kernel's list of profiles: name to mode."""
    return {m[1]: m[2] for m in re.finditer(r"^(.+) \((\w+)\)$", text, re.MULTILINE)}


def complaining(text: str) -> list[str]:
    """Names of the profiles in a file that say of themselves that they only complain."""
    return [match[1].strip('"') for match in COMPLAIN.finditer(text)]


def parse_conffiles(text: str) -> dict[str, str]:
    """`dpkg-query -W -f '${Conffiles}\\n'`: path to the hash that its package has of it."""
    return {m[1]: m[2] for m in CONFFILE.finditer(text)}


def parse_arf(path: str) -> dict[str, Any]:
    """An evaluation's data: `profile`, `end`, and `results`, how many rules ended how. ValueError when it is none."""
    profile, end, results = None, None, Counter()
    try:
        for _, element in ET.iterparse(path):
            name = element.tag.rpartition("}")[2]
            if name == "rule-result":
                results.update(child.text for child in element if child.tag.endswith("}result"))
            elif name == "TestResult":
                end = element.get("end-time")
                profile = next((c.get("idref") for c in element if c.tag.endswith("}profile")), None)
            else:
                continue
            element.clear()
    except ET.ParseError as e:
        raise ValueError(f"{path}: {e}") from e
    if end is None:
        raise ValueError(f"{path} holds no result")
    return {"profile": profile, "end": end, "results": dict(results)}
