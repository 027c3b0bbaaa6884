"""Re-owning of files: by number, on one file system, never through a link, with the set-id bits kept."""

import os
import stat
from pathlib import Path

import pytest
from vcbox.kinds import uid_swap


class Ctx:
    def check_cancelled(self) -> None:
        return


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    if os.geteuid() != 0:
        pytest.skip("chown needs root")
    top = tmp_path / "top"
    (top / "a" / "b").mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.write_text("not to be touched")
    for name in ("a/file", "a/b/tool"):
        (top / name).write_text("x")
    (top / "a" / "link").symlink_to(outside)
    (top / "a" / "dirlink").symlink_to(tmp_path)
    for path in [top / "a", *(top / "a").rglob("*"), outside]:
        os.chown(path, 51000, 51000, follow_symlinks=False)
    (top / "a" / "b" / "tool").chmod(0o4755)
    (top / "other").write_text("x")
    os.chown(top / "other", 51002, 51000)
    return top


def owner(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_uid, found.st_gid


def test_files_change_hands(tree: Path, tmp_path: Path) -> None:
    changed = uid_swap.reown_tree(Ctx(), str(tree), (51000, 51001), (51000, 51001))
    assert changed == 7
    for name in ("a", "a/b", "a/file", "a/b/tool", "a/link", "a/dirlink"):
        assert owner(tree / name) == (51001, 51001), name
    assert owner(tree / "other") == (51002, 51001)
    assert owner(tmp_path / "outside") == (51000, 51000)
    assert (tree / "a" / "b" / "tool").stat().st_mode & stat.S_ISUID
    assert uid_swap.reown_tree(Ctx(), str(tree), (51000, 51001), (51000, 51001)) == 0


def test_processes_of_a_user_are_named() -> None:
    names = uid_swap.used_by({os.getuid()})
    assert any(f"({os.getpid()})" in name for name in names)
    assert uid_swap.used_by({51999}) == []
