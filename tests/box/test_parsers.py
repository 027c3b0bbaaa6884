"""Parsers on recorded output of real machines (tests/fixtures) and on lines written as the tools print them."""

import pytest
from vcbox import procs
from vcbox.parsers import iptables, kernel_log, nvidia_smi, system, ufw
from vcbox.telemetry import FIELDS, parse_row

from conftest import FIXTURES

H100 = FIXTURES / "nvidia-smi-2xh100"


def test_the_recorded_xml_of_two_h100() -> None:
    found = nvidia_smi.parse_query_xml((H100 / "q-idle.xml").read_text())
    assert found["driver"] == "580.159.04" and found["cuda"] == "13.0" and found["attached"] == 2
    first, second = found["gpus"]
    assert first["name"] == "NVIDIA H100 80GB HBM3" and first["bus"] == "00000000:00:06.0"
    assert first["memoryMiB"] == 81559 and first["vbios"] == second["vbios"] == "96.00.DA.00.0C"
    assert (first["pcieGenCard"], first["pcieGenNow"], first["pcieWidthMax"], first["pcieWidthNow"]) == (
        5,
        5,
        16,
        16,
    )
    assert 20 < first["temperatureC"] < 60 and first["gsp"] == "580.159.04"
    assert first["uuid"] != second["uuid"]


def test_the_recorded_telemetry() -> None:
    lines = (H100 / "telemetry.csv").read_text().splitlines()
    names = [n.split(" [")[0] for n in nvidia_smi.parse_csv_row(lines[0])]
    columns = [names.index(n) for n in ("index", *FIELDS)]
    rows = []
    for line in lines[1:]:
        cells = nvidia_smi.parse_csv_row(line)
        bare = ", ".join(cells[c].split(" ")[0] for c in columns)
        rows.append(parse_row(bare, 1.0))
    assert len(rows) > 100 and all(r is not None and len(r) == len(FIELDS) + 2 for r in rows)
    assert {r[1] for r in rows if r} == {0, 1}
    first = dict(zip(FIELDS, rows[0][2:], strict=True))
    assert first["memory.total"] == 81559 and first["power.draw"] == 72.09 and first["fan.speed"] is None
    assert first["clocks_event_reasons.active"] == "0x0000000000000001"


@pytest.mark.parametrize(
    "line", ["", "No devices were found", "NVIDIA-SMI has failed because it could not", "1, 2, 3"]
)
def test_lines_that_are_no_row(line: str) -> None:
    assert parse_row(line, 0.0) is None


@pytest.mark.parametrize("text", ["", "No devices were found\n", "<other/>", "<nvidia_smi_log><gpu>"])
def test_what_is_no_nvidia_smi_xml(text: str) -> None:
    with pytest.raises(ValueError, match="nvidia-smi"):
        nvidia_smi.parse_query_xml(text)


def test_xids() -> None:
    assert kernel_log.parse_xids((H100 / "dmesg-nvidia.txt").read_text()) == []
    line = "[  812.1] NVRM: Xid (PCI:0000:41:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."
    assert kernel_log.parse_xids(f"x\n{line}\n") == [{"bus": "0000:41:00", "xid": 79, "line": line}]


UFW = """Status: active
Logging: on (low)
Default: deny (incoming), allow (outgoing), deny (routed)
New profiles: skip

To                         Action      From
--                         ------      ----
22/tcp                     ALLOW IN    Anywhere                   # ssh
22/tcp (v6)                ALLOW IN    Anywhere (v6)
"""


def test_ufw() -> None:
    found = ufw.parse_status(UFW)
    assert found["active"] is True
    assert found["defaults"] == {"incoming": "deny", "outgoing": "allow", "routed": "deny"}
    assert found["rules"] == [
        {"to": "22/tcp", "action": "ALLOW IN", "from": "Anywhere"},
        {"to": "22/tcp (v6)", "action": "ALLOW IN", "from": "Anywhere (v6)"},
    ]
    assert ufw.parse_status("Status: inactive\n")["active"] is False
    assert ufw.parse_status("ERROR: You need to be root\n")["active"] is None


def test_docker_user_chains() -> None:
    head = "*filter\n:FORWARD DROP [0:0]\n:DOCKER-USER - [0:0]\n-A FORWARD -j DOCKER-USER\n"
    answers = "-A DOCKER-USER -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN\n"
    drop = "-A DOCKER-USER -m conntrack --ctstate DNAT -j DROP\n"
    back = "-A DOCKER-USER -j RETURN\n"

    def drops(text: str) -> bool:
        return iptables.drops_published(iptables.chain_rules(text, "DOCKER-USER") or [])

    assert drops(head + answers + drop + back + "COMMIT\n")
    assert not drops(head + back + drop + "COMMIT\n")
    assert not drops(head + answers + back + "COMMIT\n")
    assert not drops(head + "-A DOCKER-USER -m conntrack --ctstate DNAT -j RETURN\n" + drop)
    assert drops(
        head + "-A DOCKER-USER -p tcp -m conntrack --ctstate DNAT --ctorigdstport 3000 -j RETURN\n" + drop
    )
    assert not drops(head + "-A DOCKER-USER -i eth9 -m conntrack --ctstate DNAT -j DROP\n" + back)
    assert iptables.chain_rules("*nat\n:DOCKER-USER - [0:0]\n", "DOCKER-USER") is None


def test_system_outputs() -> None:
    assert system.parse_sshd("port 22\nPort 2222\npermitrootlogin no\n")["port"] == ["22", "2222"]
    config = system.parse_apt_config(
        'A "";\nUnattended-Upgrade::Allowed-Origins:: "x-security";\nB::C "1";\n'
    )
    assert config == {"A": [""], "Unattended-Upgrade::Allowed-Origins::": ["x-security"], "B::C": ["1"]}
    sockets = system.parse_ss(
        'LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=1,fd=3))\n'
        "LISTEN 0 128 [::]:22 [::]:*\n"
        "LISTEN 0 4096 127.0.0.53%lo:53 0.0.0.0:*\n"
        'LISTEN 0 128 *:22 *:* users:(("sshd",pid=9,fd=3),("systemd",pid=1,fd=50))\n'
    )
    assert [(s["address"], s["port"], s["process"]) for s in sockets] == [
        ("0.0.0.0", 22, "sshd"),
        ("::", 22, None),
        ("127.0.0.53", 53, None),
        ("*", 22, "systemd"),
    ]
    assert [system.is_loopback(s["address"]) for s in sockets] == [False, False, True, False]
    rules = "Matching Defaults entries for a on b:\n    env_reset\n\nUser a may run the following commands on b:\n    (ALL : ALL) ALL\n"
    assert system.parse_sudo_list(rules) == ["(ALL : ALL) ALL"]


@pytest.mark.parametrize(
    ("version", "floor", "enough"),
    [
        ("580.159.04", "570.26", True),
        ("570.26", "570.26", True),
        ("570.9", "570.26", False),
        ("550.127.05", "570.26", False),
        ("580.65.06", "580.65.06", True),
    ],
)
def test_versions(version: str, floor: str, enough: bool) -> None:
    assert system.at_least(version, floor) is enough


def test_stat_with_parentheses_in_the_name() -> None:
    text = "42 (a) b (c) S 7 42 42 0 -1 0 0 0 0 0 3 4 0 0 20 0 1 0 99 0 0"
    found = procs.parse_stat(text)
    assert (found.pid, found.name, found.state, found.parent, found.cpu, found.start) == (
        42,
        "a) b (c",
        "S",
        7,
        7,
        99,
    )
