"""Entry point: `python3 -I <box>/vcbox/__main__.py run|supervise|revert|test|monitor …`. -I leaves sys.path bare, so it is set here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def main(argv: list[str]) -> int:
    command, rest = (argv[0], argv[1:]) if argv else ("", [])
    if command == "run":
        from vcbox import runner

        return runner.main(rest)
    if command == "supervise":
        from vcbox import supervisor

        return supervisor.main(rest)
    if command == "revert":
        from vcbox import revert

        return revert.main(rest)
    if command == "test":
        from vcbox import selfrun

        return selfrun.main(rest)
    if command == "monitor":
        from vcbox import monitor

        return monitor.main(rest)
    print("usage: __main__.py run|supervise|revert|test|monitor …", file=sys.stderr)
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
