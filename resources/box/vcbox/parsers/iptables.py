"""`iptables-save` and `ip6tables-save`."""


def chain_rules(text: str, chain: str, table: str = "filter") -> list[list[str]] | None:
    """The chain's rules as words, in order; None when the table has no such chain."""
    now, known, rules = "", False, []
    for line in text.splitlines():
        if line.startswith("*"):
            now = line[1:].strip()
        elif now == table and line.startswith(f":{chain} "):
            known = True
        elif now == table and line.startswith(f"-A {chain} "):
            known = True
            rules.append(line.split()[2:])
    return rules if known else None


def chain_policy(text: str, chain: str) -> str | None:
    """The built-in chain's policy ("DROP"), None when it is not in the text."""
    line = next((x for x in text.splitlines() if x.startswith(f":{chain} ")), None)
    return line.split()[1] if line else None


def drops_published(rules: list[list[str]]) -> bool:
    """Whether packets to published ports (their address was translated: ctstate DNAT) end in DROP in this chain.

    A rule that lets everything go on before that makes the drop unreachable.
    """
    for rule in rules:
        target = rule[rule.index("-j") + 1] if "-j" in rule else ""
        matches = rule[: rule.index("-j")] if "-j" in rule else rule
        states = matches[matches.index("--ctstate") + 1].split(",") if "--ctstate" in matches else []
        negated = "!" in matches
        whole = not matches or matches == ["-m", "conntrack", "--ctstate", "DNAT"]
        if target in ("DROP", "REJECT") and whole and not negated:
            return True
        if target in ("RETURN", "ACCEPT") and (
            not matches or (states == ["DNAT"] and "--ctorigdstport" not in matches)
        ):
            return False
    return False
