"""The essential packages are installed, whole."""

from vcbox.checks.base import Look, Profile, Raw, Result, error, judged, said
from vcbox.parsers.system import parse_dpkg_status

ID, TITLE, LAYER = "l1_packages", "Essential packages are installed", 1
# What ansible/roles/base_system/vars/ installs on every distribution; a test keeps the two the same.
WANTED = [
    "acl",
    "bash-completion",
    "build-essential",
    "ca-certificates",
    "curl",
    "dmidecode",
    "docker.io",
    "ethtool",
    "fail2ban",
    "git",
    "gnupg",
    "jq",
    "less",
    "lsof",
    "nftables",
    "openssh-server",
    "pciutils",
    "psmisc",
    "python3-pip",
    "python3-systemd",
    "python3-venv",
    "rsync",
    "smartmontools",
    "sudo",
    "tmux",
    "ufw",
    "unattended-upgrades",
    "unzip",
    "usbutils",
    "vim",
    "wget",
    "xz-utils",
    "zip",
    "zstd",
]
# Where the distribution or the customer has another package for the same thing.
INSTEAD = {"docker.io": ("docker-ce",)}


def gather(look: Look) -> Raw:
    return look.command("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n")


def judge(raw: Raw, profile: Profile) -> Result:
    if raw["status"]:
        return error(f"dpkg-query: {said(raw)}", "Repair dpkg: dpkg --configure -a.")
    state = parse_dpkg_status(raw["out"])
    missing = []
    for name in WANTED:
        names = (name, *INSTEAD.get(name, ()))
        if not any(state.get(n) == "installed" for n in names):
            missing.append(f"{name} ({state.get(name, 'missing')})")
    value = "missing: " + ", ".join(missing) if missing else f"{len(WANTED)} installed"
    return judged(not missing, value, "all installed", "Run layer 1 again.")
