"""What the box is, read before anything is changed: `python3 -I -c <this>`, as any user. Prints one JSON object.

Reads only. What cannot be read is null, with the reason under `unreadable`. The shape is preload/contract/facts.ts.
Stand-alone: it is sent as text and imports nothing of this package.
"""

import glob
import grp
import hashlib
import json
import os
import platform
import pwd
import re
import shutil
import subprocess
import time

UNREADABLE = {}
ENV = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "HOME": "/"}


def run(*argv, timeout=15):
    """stdout of a command; raises OSError with a reason when it is missing, fails or hangs."""
    if not shutil.which(argv[0], path=ENV["PATH"]):
        raise OSError(f"{argv[0]} is not installed")
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, env=ENV, check=False
        )
    except subprocess.TimeoutExpired as e:
        raise OSError(f"{argv[0]} did not answer within {timeout} s") from e
    if done.returncode:
        text = done.stderr.decode("utf-8", "replace").strip()[:200]
        raise OSError(f"{argv[0]}: {text or f'exit status {done.returncode}'}")
    return done.stdout.decode("utf-8", "replace")


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read().strip("\x00\n ")


def maybe(item, function, *args):
    """The function's value, or None with the reason kept under the item's name."""
    try:
        return function(*args)
    except Exception as e:  # whatever a strange machine does, the other facts are still told
        text = (
            f"{e.strerror}: {e.filename}"
            if isinstance(e, OSError) and e.strerror
            else str(e) or type(e).__name__
        )
        UNREADABLE[item] = text
        return None


def number(text):
    found = re.match(r"\s*(\d+)", text)
    return int(found.group(1)) if found else None


def pick(source, **names):
    """The named values of a dict, under our names."""
    return {ours: source.get(theirs) for ours, theirs in names.items()}


def cpu():
    blocks = [b for b in read("/proc/cpuinfo").split("\n\n") if b.strip()]
    lines = [[line.partition(":") for line in block.splitlines()] for block in blocks]
    rows = [{k.strip(): v.strip() for k, _, v in pairs} for pairs in lines]
    sockets = {r.get("physical id", "0") for r in rows}
    cores = {(r.get("physical id", "0"), r.get("core id", str(n))) for n, r in enumerate(rows)}
    model = rows[0].get("model name") or rows[0].get("Model") if rows else None
    return {"model": model, "sockets": len(sockets), "cores": len(cores), "threads": len(rows)}


def memory():
    kib = int(re.search(r"^MemTotal:\s+(\d+)", read("/proc/meminfo"), re.MULTILINE).group(1))
    ecc = dimms = None
    try:
        text = run("dmidecode", "-t", "16", "-t", "17")
        kinds = re.findall(r"Error Correction Type: (.+)", text)
        ecc = any(k.strip().lower() not in ("none", "unknown") for k in kinds) if kinds else None
        dimms = len([s for s in re.findall(r"^\tSize: (.+)", text, re.MULTILINE) if number(s)])
    except OSError as e:
        if glob.glob("/sys/devices/system/edac/mc/mc*"):
            ecc = True
            dimms = len(glob.glob("/sys/devices/system/edac/mc/mc*/dimm*")) or None
        else:
            UNREADABLE["memory.ecc"] = str(e)
    return {"bytes": kib * 1024, "ecc": ecc, "dimms": dimms}


def dmi(name):
    return maybe(f"dmi.{name}", read, f"/sys/class/dmi/id/{name}")


def disks():
    columns = "NAME,TYPE,MODEL,SERIAL,SIZE,ROTA,TRAN,MOUNTPOINTS,FSTYPE,LABEL,PARTLABEL,UUID,RO"
    tree = json.loads(run("lsblk", "-J", "-b", "-o", columns))["blockdevices"]

    def below(node):
        found = [m for m in node.get("mountpoints") or [] if m]
        for child in node.get("children") or []:
            found += below(child)
        return found

    result = []
    for d in tree:
        if d.get("type") != "disk" or not d.get("size"):
            continue
        parts = [
            {
                **pick(c, name="name", label="label", partLabel="partlabel", fsType="fstype"),
                "bytes": int(c["size"]),
            }
            for c in d.get("children") or []
        ]
        disk = {"name": d["name"], "bytes": int(d["size"]), "rotational": bool(d.get("rota"))}
        disk |= {k: (d.get(k) or "").strip() or None for k in ("model", "serial")}
        result.append({**disk, "transport": d.get("tran"), "mountpoints": below(d), "partitions": parts})
    return result


def root_encryption():
    """`luks` when a device below the root file system is LUKS, however many layers lie between, else `none`."""
    source, fstype = run("findmnt", "-n", "-o", "SOURCE,FSTYPE", "/").split()[-2:]
    device = source.split("[", 1)[0]  # btrfs names its subvolume behind it
    if not device.startswith("/dev/"):
        raise OSError(f"/ is on no device of its own ({fstype})")
    below = run("lsblk", "-s", "-n", "-r", "-o", "TYPE,FSTYPE", device).split()
    return "luks" if "crypt" in below or "crypto_LUKS" in below else "none"


def filesystems():
    root, var = os.statvfs("/"), os.statvfs("/var")
    size, free = root.f_blocks * root.f_frsize, root.f_bavail * root.f_frsize
    return {"rootBytes": size, "rootFreeBytes": free, "varFreeBytes": var.f_bavail * var.f_frsize}


def bar_bytes(folder):
    """Sizes of the card's memory windows; a large BAR 1 is what Above 4G decoding and ReBAR make possible."""
    sizes = []
    for line in read(f"{folder}/resource").splitlines()[:6]:
        start, end = (int(x, 16) for x in line.split()[:2])
        sizes.append({"bytes": end - start + 1 if end else 0, "above4g": start >= 1 << 32})
    return sizes


def gpus():
    found = []
    for folder in sorted(glob.glob("/sys/bus/pci/devices/*")):
        if read(f"{folder}/vendor") != "0x10de" or not read(f"{folder}/class").startswith("0x03"):
            continue
        address = os.path.basename(folder)

        def one(name, folder=folder, address=address):
            return maybe(f"gpus.{address}.{name}", read, f"{folder}/{name}")

        bars = maybe(f"gpus.{address}.resource", bar_bytes, folder) or []
        windows = [b for b in bars if b["bytes"]]
        driver = (
            os.path.basename(os.path.realpath(f"{folder}/driver"))
            if os.path.exists(f"{folder}/driver")
            else None
        )
        found.append(
            {
                "address": address,
                "device": one("device"),
                "linkSpeed": one("current_link_speed"),
                "linkWidth": number(one("current_link_width") or ""),
                "maxLinkSpeed": one("max_link_speed"),
                "maxLinkWidth": number(one("max_link_width") or ""),
                "bar1Bytes": max((b["bytes"] for b in windows), default=None),
                "above4g": any(b["above4g"] for b in windows) if windows else None,
                "driver": driver,
            }
        )
    return found


def nvidia_smi():
    text = run(
        "nvidia-smi",
        "--query-gpu=driver_version,name,uuid,serial,memory.total",
        "--format=csv,noheader,nounits",
    )
    rows = [[c.strip() for c in line.split(",")] for line in text.splitlines() if line.count(",") == 4]
    clean = [
        [None if c.strip("[]").upper() in ("N/A", "NOT SUPPORTED", "") else c for c in row] for row in rows
    ]
    cards = [
        {"name": r[1] or "unknown", "uuid": r[2], "serial": r[3], "memoryMiB": number(r[4] or "")}
        for r in clean
    ]
    return {"driver": clean[0][0] if clean else None, "gpus": cards}


def distribution():
    rows = (line.partition("=") for line in read("/etc/os-release").splitlines())
    found = {k: v.strip().strip("\"'") for k, s, v in rows if s}
    names = {"id": "ID", "version": "VERSION_ID", "codename": "VERSION_CODENAME", "pretty": "PRETTY_NAME"}
    result = {k: found.get(v) for k, v in names.items()}
    return {**result, "id": result["id"] or "unknown"}


def virtualization():
    try:
        return run("systemd-detect-virt")
    except OSError as e:
        # Bare hardware makes it print "none" and end with 1.
        if "exit status 1" in str(e):
            return "none"
        raise


def rtc():
    return int(read("/sys/class/rtc/rtc0/since_epoch"))


def timezone():
    try:
        return read("/etc/timezone")
    except OSError:
        return os.path.realpath("/etc/localtime").split("zoneinfo/", 1)[1]


def ntp():
    word = run("timedatectl", "show", "-p", "NTPSynchronized", "--value").strip()
    return {"yes": True, "no": False}.get(word)


def secure_boot():
    if not os.path.isdir("/sys/firmware/efi"):
        return "not UEFI"
    files = glob.glob("/sys/firmware/efi/efivars/SecureBoot-*")
    if not files:
        raise OSError("the firmware shows no SecureBoot variable")
    with open(files[0], "rb") as f:
        return "enabled" if f.read()[4:5] == b"\x01" else "disabled"


def iommu():
    flags = [
        w
        for w in read("/proc/cmdline").split()
        if re.match(r"(iommu|amd_iommu|intel_iommu|pcie_acs|pci=)", w)
    ]
    groups = glob.glob("/sys/kernel/iommu_groups/*")
    types = maybe("iommu.types", lambda: sorted({read(f"{g}/type") for g in groups}))
    return {"groups": len(groups), "cmdline": " ".join(flags), "types": types}


def acs_control(config):
    """The control word of a PCIe device's Access Control Services; None where its configuration has no such capability."""
    at, seen = 0x100, set()
    while 0x100 <= at <= len(config) - 8 and at not in seen:
        seen.add(at)
        header = int.from_bytes(config[at : at + 4], "little")
        if header & 0xFFFF == 0x000D:
            return int.from_bytes(config[at + 6 : at + 8], "little")
        at = header >> 20
    return None


def acs():
    """Bridges that send what cards write to each other up to the root (request or completion redirect)."""
    bridges, redirecting = 0, []
    for folder in sorted(glob.glob("/sys/bus/pci/devices/*")):
        if not read(f"{folder}/class").startswith("0x0604"):
            continue
        with open(f"{folder}/config", "rb") as f:
            config = f.read()
        # The kernel shows other users the first 64 bytes only.
        if len(config) <= 64:
            raise OSError("only root may read the bridges' configuration")
        control = acs_control(config)
        if control is not None:
            bridges += 1
            if control & 0b1100:
                redirecting.append(os.path.basename(folder))
    return {"bridges": bridges, "redirecting": redirecting}


def network():
    found = []
    for name in sorted(os.listdir("/sys/class/net")):
        base = f"/sys/class/net/{name}"
        if name == "lo":
            continue
        try:
            speed = int(read(f"{base}/speed"))
        except (OSError, ValueError):
            speed = -1  # the kernel answers so for an interface without a link
        state = maybe(f"network.{name}.state", read, f"{base}/operstate")
        mac = maybe(f"network.{name}.mac", read, f"{base}/address")
        speed = speed if speed > 0 else None
        found.append({"name": name, "speedMbit": speed, "state": state, "mac": mac})
    return found


def users():
    people = [p for p in pwd.getpwall() if 1000 <= p.pw_uid < 65000]
    fields = {"name": "pw_name", "uid": "pw_uid", "shell": "pw_shell", "home": "pw_dir"}
    groups = {p.pw_name: sorted(g.gr_name for g in grp.getgrall() if p.pw_name in g.gr_mem) for p in people}
    return [{**{k: getattr(p, v) for k, v in fields.items()}, "groups": groups[p.pw_name]} for p in people]


def uid1000():
    try:
        return pwd.getpwuid(1000).pw_name
    except KeyError:
        return None


def ssh_ports():
    """Ports on which something listens as sshd does: the process is named for root only, so the configuration helps."""
    text = run("ss", "-Hltnp")
    named = {int(m.group(1)) for m in re.finditer(r":(\d+)\s+\S+\s+users:\(\(\"(?:sshd|systemd)\"", text)}
    if named:
        return sorted(named)
    listening = {
        int(m.group(1)) for m in re.finditer(r"^LISTEN\s+\S+\s+\S+\s+\S+:(\d+)\s", text, re.MULTILINE)
    }
    wanted = {22}
    for path in ["/etc/ssh/sshd_config", *sorted(glob.glob("/etc/ssh/sshd_config.d/*.conf"))]:
        try:
            wanted |= {int(p) for p in re.findall(r"(?im)^\s*port[\s=]+(\d+)", read(path))}
        except OSError:
            continue
    return sorted(listening & wanted)


def lock_holder():
    """Who holds dpkg's lock, by the kernel's own list: readable by every user."""
    for path in ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock"):
        try:
            inode = os.stat(path).st_ino
        except OSError:
            continue
        for line in read("/proc/locks").splitlines():
            cells = line.split()
            if len(cells) >= 6 and cells[1] == "POSIX" and cells[5].endswith(f":{inode}"):
                name = maybe("dpkg.lockHolder.name", read, f"/proc/{cells[4]}/comm")
                return f"{name or 'process'} ({cells[4]})"
    return None


def dpkg():
    return {
        "audit": maybe("dpkg.audit", lambda: run("dpkg", "--audit").strip()[:4000]),
        "lockHolder": lock_holder(),
    }


def nvidia_module():
    if not os.path.isdir("/sys/module/nvidia"):
        return None
    licence = maybe("nvidiaModule.license", lambda: run("modinfo", "-F", "license", "nvidia").strip())
    return {"version": maybe("nvidiaModule.version", read, "/sys/module/nvidia/version"), "license": licence}


def installation():
    """What an earlier run left."""
    base = "/opt/vault-cube"
    if not os.path.isdir(base):
        return None
    return {"ansible": os.path.exists(f"{base}/ansible/bin/ansible"), "entries": sorted(os.listdir(base))}


def power():
    supplies = (
        sorted(os.listdir("/sys/class/power_supply")) if os.path.isdir("/sys/class/power_supply") else []
    )
    sensors = glob.glob("/sys/class/hwmon/hwmon*/power*_input")
    return {"supplies": supplies, "sensors": len(sensors)}


def evidence():
    try:
        word = read("/etc/vault-cube/evidence")
    except OSError:
        return "real"
    return word if word in ("real", "stand-in", "practice") else "stand-in"


def machine_id():
    # The id itself is meant to stay on the machine (machine-id(5)); its hash names it just as well.
    return hashlib.sha256(b"vault-cube:" + read("/etc/machine-id").encode()).hexdigest()


def gather():
    """All facts, in the shape of BoxFacts."""
    board = {"vendor": dmi("board_vendor"), "name": dmi("board_name"), "serial": dmi("board_serial")}
    bios = {"vendor": dmi("bios_vendor"), "version": dmi("bios_version"), "date": dmi("bios_date")}
    clock = {
        "epoch": time.time(),
        "rtcEpoch": maybe("clock.rtcEpoch", rtc),
        "timezone": maybe("clock.timezone", timezone),
    }
    return {
        "v": 1,
        "root": os.geteuid() == 0,
        "cpu": maybe("cpu", cpu),
        "memory": maybe("memory", memory),
        "board": {**board, "productUuid": dmi("product_uuid")},
        "bios": bios,
        "disks": maybe("disks", disks),
        "filesystems": maybe("filesystems", filesystems),
        "rootEncryption": maybe("rootEncryption", root_encryption),
        "gpus": maybe("gpus", gpus),
        "nvidiaSmi": maybe("nvidiaSmi", nvidia_smi),
        "kernel": platform.release(),
        "distribution": maybe("distribution", distribution),
        "arch": platform.machine(),
        "python": platform.python_version(),
        "virtualization": maybe("virtualization", lambda: virtualization().strip()),
        "bootId": maybe("bootId", read, "/proc/sys/kernel/random/boot_id"),
        "machineId": maybe("machineId", machine_id),
        "hostname": platform.node(),
        "clock": {**clock, "ntpSynchronized": maybe("clock.ntpSynchronized", ntp)},
        "secureBoot": maybe("secureBoot", secure_boot),
        "iommu": maybe("iommu", iommu),
        "acs": maybe("acs", acs),
        "network": maybe("network", network),
        "users": maybe("users", users),
        "uid1000": uid1000(),
        "sudo": shutil.which("sudo", path=ENV["PATH"]) is not None,
        "systemd": os.path.isdir("/run/systemd/system"),
        "sshPorts": maybe("sshPorts", ssh_ports),
        "dpkg": maybe("dpkg", dpkg),
        "nouveau": os.path.isdir("/sys/module/nouveau"),
        "nvidiaModule": maybe("nvidiaModule", nvidia_module),
        "installation": maybe("installation", installation),
        "power": maybe("power", power),
        "evidence": evidence(),
        "unreadable": UNREADABLE,
    }


if __name__ == "__main__":
    print(json.dumps(gather(), ensure_ascii=False))
