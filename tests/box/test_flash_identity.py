"""Never the wrong disk: what the writer refuses to open, on real loop devices and on the sysfs of disks that are not here."""

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from vcflash import identity, target
from vcflash.frames import Failed, TargetName

from flashing import CHUNK, MIB, Source, loop_device, read_target, run, stale_file, writers, zram

__all__ = ["writers"]
SIZE = 24 * MIB


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path, 2 * CHUNK, seed=1)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[str]:
    with loop_device(stale_file(tmp_path / "disk", SIZE)) as name:
        yield name


def refusal(writers: Any, source: Source, code: str, path: str, size: int = SIZE, **told: Any) -> str:
    """Opens, expects the code, and that not a byte was changed; returns the detail."""
    before = read_target(path, SIZE) if Path(path).is_block_device() else b""
    writer = writers()
    fields = source.open_fields(told.pop("kind", "disk"), path, size)
    fields["target"].update(told)
    writer.send("open", **fields)
    writer.send("wipe")
    said = writer.failed(code)
    assert said["command"] == "open"
    assert not before or read_target(path, SIZE) == before
    return said["detail"]


def test_another_size_or_a_serial_it_has_not(writers: Any, source: Source, disk: str) -> None:
    refusal(writers, source, "target_size", disk, SIZE + 512)
    refusal(writers, source, "target_size", disk, CHUNK)
    assert "not WD-1" in refusal(writers, source, "target_serial", disk, serial="WD-1")


def test_what_is_no_disk_and_no_file(writers: Any, source: Source, tmp_path: Path, disk: str) -> None:
    refusal(writers, source, "target_not_a_disk", str(stale_file(tmp_path / "file", SIZE)))
    refusal(writers, source, "target_not_a_disk", "/dev/null")
    refusal(writers, source, "target_not_a_disk", disk, kind="file")
    refusal(writers, source, "target_not_a_disk", str(tmp_path), kind="file")
    refusal(writers, source, "target_missing", str(tmp_path / "none"))
    refusal(writers, source, "target_missing", str(tmp_path / "none" / "file"), kind="file")
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    (tmp_path / "link").symlink_to(victim)
    refusal(writers, source, "target_not_a_disk", str(tmp_path / "link"), kind="file")
    os.mkfifo(tmp_path / "fifo")
    refusal(writers, source, "target_not_a_disk", str(tmp_path / "fifo"), kind="file")
    assert victim.read_bytes() == b"mine"


def test_a_mounted_disk_is_refused_with_the_place(
    writers: Any, source: Source, disk: str, tmp_path: Path
) -> None:
    run("mkfs.ext4", "-q", disk)
    place = tmp_path / "mounted"
    place.mkdir()
    # Read-only, since a file system that is mounted writes by itself, and a byte that changed would be ours.
    run("mount", "-o", "ro,noload", disk, str(place))
    try:
        assert str(place) in refusal(writers, source, "target_in_use", disk)
    finally:
        run("umount", str(place))


def test_swap_is_refused(writers: Any, source: Source, disk: str) -> None:
    run("mkswap", disk)
    try:
        run("swapon", disk)
    except subprocess.CalledProcessError as e:
        pytest.skip(f"no swap here: {e.stderr}")
    try:
        assert "is swap" in refusal(writers, source, "target_in_use", disk)
    finally:
        run("swapoff", disk)


def test_a_disk_that_another_program_holds_is_refused(writers: Any, source: Source, disk: str) -> None:
    fd = os.open(disk, os.O_RDWR | os.O_EXCL)
    try:
        refusal(writers, source, "target_in_use", disk)
    finally:
        os.close(fd)


def test_a_disk_behind_a_loop_device_is_refused(writers: Any, source: Source, disk: str) -> None:
    with loop_device(Path(disk)) as over:
        assert Path(over).name in refusal(writers, source, "target_in_use", disk)


def test_a_disk_that_is_read_only_is_refused(writers: Any, source: Source, disk: str) -> None:
    run("blockdev", "--setro", disk)
    try:
        refusal(writers, source, "target_read_only", disk)
    finally:
        run("blockdev", "--setrw", disk)


@pytest.fixture
def partition(disk: str) -> str:
    """The first partition of `disk`, told to the kernel: 8 MiB from the first MiB."""
    try:
        run("addpart", disk, "1", "2048", "16384")
    except subprocess.CalledProcessError as e:
        pytest.skip(f"no partitions here: {e.stderr}")
    name = f"{disk}p1"
    if not Path(name).exists():
        pytest.skip("nobody makes the partition's node here")
    return name


def test_a_partition_is_refused_and_a_disk_with_a_partition_in_use(
    writers: Any, source: Source, disk: str, partition: str, tmp_path: Path
) -> None:
    assert "partition" in refusal(writers, source, "target_not_a_disk", partition, 8 * MIB)
    run("mkfs.ext4", "-q", partition)
    place = tmp_path / "mounted"
    place.mkdir()
    run("mount", "-o", "ro,noload", partition, str(place))
    try:
        assert Path(partition).name in refusal(writers, source, "target_in_use", disk)
    finally:
        run("umount", str(place))


def test_two_writers_of_one_target(writers: Any, source: Source, disk: str, tmp_path: Path) -> None:
    for kind, path in (("disk", disk), ("file", str(tmp_path / "target"))):
        first, second = writers(), writers()
        first.ask("open", "opened", **source.open_fields(kind, path, SIZE))
        second.send("open", **source.open_fields(kind, path, SIZE))
        second.failed("target_in_use")
        first.ask("close", "closed")


def test_the_image_is_not_the_target(writers: Any, source: Source) -> None:
    size = source.path.stat().st_size
    before = source.path.read_bytes()
    writer = writers()
    writer.send("open", **source.open_fields("file", str(source.path), size, virtualSize=size, sealed=[0]))
    writer.failed("bad_command")
    assert source.path.read_bytes() == before


def test_what_changed_between_opening_and_the_first_byte_stops_it(
    writers: Any, source: Source, disk: str, tmp_path: Path
) -> None:
    writer = writers()
    writer.ask("open", "opened", **source.open_fields("disk", disk, SIZE))
    before = (tmp_path / "disk").read_bytes()
    os.truncate(tmp_path / "disk", SIZE + MIB)
    run("losetup", "--set-capacity", disk)
    writer.send("wipe")
    assert writer.failed("target_size")["command"] == "wipe"
    assert (tmp_path / "disk").read_bytes()[:SIZE] == before


# Disks that are not here: the layout of /sys as Linux has it, in a folder.


class Sys:
    """A fake / with disks in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("sys/dev/block", "sys/block", "run/udev/data", "proc/self"):
            (root / folder).mkdir(parents=True)

    def put(self, path: str, text: str | bytes) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text if isinstance(text, bytes) else text.encode())

    def disk(self, name: str, minor: int, device: str, **files: str | bytes) -> int:
        """A disk of SIZE bytes below the path `device`; `files` are relative to it, with _ for /. Returns its number."""
        folder = f"sys/devices/{device}/block/{name}"
        number = f"8:{minor}"
        base = {"size": f"{SIZE // 512}\n", "ro": "0\n", "dev": f"{number}\n", "diskseq": f"{minor + 7}\n"}
        for key, text in {**base, "queue/hw_sector_size": "512", **files}.items():
            self.put(f"{folder}/{key}", text)
        (self.root / folder / "holders").mkdir()
        if not (self.root / folder / "device").exists():
            (self.root / folder / "device").symlink_to(self.root / "sys/devices" / device)
        for link in (f"sys/dev/block/{number}", f"sys/block/{name}"):
            (self.root / link).symlink_to(self.root / folder)
        return os.makedev(8, minor)

    def look(self, number: int) -> identity.Facts:
        facts = identity.look(number, str(self.root))
        assert facts
        return facts


@pytest.fixture
def fake(tmp_path: Path) -> Sys:
    return Sys(tmp_path / "root")


def test_serials_as_each_kind_of_disk_has_them(fake: Sys) -> None:
    # Some controllers fill up with NULs instead of blanks.
    fake.put("sys/devices/pci/nvme/nvme0/serial", "S6XNNE0T1 \0\0\n")
    nvme = fake.disk("nvme0n1", 0, "pci/nvme/nvme0")
    virtio = fake.disk("vda", 16, "pci/virtio1", serial="VIRT-1\n")
    fake.put("sys/devices/pci/usb1/1-2/idVendor", "0951")
    fake.put("sys/devices/pci/usb1/1-2/serial", "50 E5 49")
    page = b"\0\x80\0\x08  SSD-42" + b"trailing"
    fake.put("sys/devices/pci/usb1/1-2/1-2:1.0/host6/6:0:0:0/vpd_pg80", page)
    usb = fake.disk("sda", 32, "pci/usb1/1-2/1-2:1.0/host6/6:0:0:0")
    fake.put("run/udev/data/b8:32", "S:disk/by-id/x\nE:ID_SERIAL_SHORT=ATA-9\nE:ID_MODEL=Not_A_Serial\n")
    assert fake.look(nvme).serials == {"S6XNNE0T1"}
    assert fake.look(virtio).serials == {"VIRT-1"}
    assert fake.look(usb).serials == {"50_E5_49", "SSD-42", "ATA-9"}
    assert (fake.look(usb).whole, fake.look(usb).sequence, fake.look(usb).size) == (True, 39, SIZE)


def test_two_disks_with_one_serial_are_told_apart_by_size_only(fake: Sys) -> None:
    one = fake.disk("sda", 0, "pci/a", serial="0123456789")
    fake.disk("sdb", 16, "pci/b", serial="0123456789")
    fake.disk("sdc", 32, "pci/c", serial="0123456789", size="8\n")
    assert identity.twin(fake.look(one), "0123456789", str(fake.root)) == "sdb"
    fake.put("sys/devices/pci/b/block/sdb/size", "16\n")
    assert identity.twin(fake.look(one), "0123456789", str(fake.root)) is None


def test_who_uses_a_disk_or_a_part_of_it(fake: Sys) -> None:
    disk = fake.disk("sda", 0, "pci/a")
    part = "sys/devices/pci/a/block/sda/sda2"
    fake.put(f"{part}/partition", "2")
    fake.put(f"{part}/dev", "8:2\n")
    assert fake.look(disk).used is None
    fake.put("proc/self/mountinfo", "36 35 8:3 / /else rw - ext4 /dev/sdz rw\n")
    assert fake.look(disk).used is None
    fake.put("proc/self/mountinfo", "36 35 8:2 / /boot/efi rw,relatime shared:1 - vfat /dev/sda2 rw\n")
    assert fake.look(disk).used == "sda2 is mounted at /boot/efi"
    (fake.root / part / "holders" / "dm-0").mkdir(parents=True)
    assert fake.look(disk).used == "sda2 is part of dm-0"


def test_a_number_that_no_disk_has(fake: Sys) -> None:
    assert identity.look(os.makedev(8, 0), str(fake.root)) is None


class Told:
    """A target whose disk is what `facts` says; only `check` of the real one is used."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **facts: Any) -> None:
        base = identity.Facts("sda", True, False, SIZE, False, frozenset({"A1"}), 5, None)
        self.facts = base._replace(**facts)
        monkeypatch.setattr(identity, "look", lambda _device: self.facts)
        monkeypatch.setattr(identity, "twin", lambda *_: None)

    def check(self, serial: str | None, sequence: int | None = 5) -> str | None:
        probe = object.__new__(target.Target)
        probe.disk, probe.device, probe.sequence = True, 0, sequence
        probe.told = TargetName("disk", "/dev/sda", serial, SIZE)
        try:
            probe.check()
        except Failed as e:
            return e.code
        return None


@pytest.mark.parametrize(
    ("facts", "serial", "code"),
    [
        ({}, "A1", None),
        ({}, "A", "target_serial"),
        ({}, "a1", "target_serial"),
        ({}, None, "target_serial"),
        ({"serials": frozenset()}, None, "target_serial"),
        ({"serials": frozenset()}, "A1", "target_serial"),
        ({"loop": True, "serials": frozenset()}, None, None),
        ({"sequence": 6}, "A1", "target_serial"),
        ({"size": SIZE - 512}, "A1", "target_size"),
        ({"size": 0}, "A1", "target_missing"),
        ({"whole": False}, "A1", "target_not_a_disk"),
        ({"read_only": True}, "A1", "target_read_only"),
        ({"used": "sda1 is swap"}, "A1", "target_in_use"),
    ],
)
def test_only_the_disk_that_was_told_passes(
    monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any], serial: str | None, code: str | None
) -> None:
    assert Told(monkeypatch, **facts).check(serial) == code


def test_a_serial_that_two_disks_have_names_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(monkeypatch)
    monkeypatch.setattr(identity, "twin", lambda *_: "sdb")
    assert told.check("A1") == "target_serial"


def test_a_real_disk_without_a_serial_is_refused(writers: Any, source: Source) -> None:
    with zram(SIZE) as (path, _):
        assert stat.S_ISBLK(path.stat().st_mode)
        assert "without a serial" in refusal(writers, source, "target_serial", str(path))
