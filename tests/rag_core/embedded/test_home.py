"""Sockets lie where only their owner can put them, and logs do not grow for ever."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from rag_core.embedded import (
    StackHome,
    log_tail,
    open_log,
    remove_socket_folder,
    socket_folder,
)
from rag_core.errors import EmbeddedServerError
from tests.rag_core.embedded.processes import mode_of


def test_a_short_home_has_its_sockets_inside() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        folder = socket_folder(Path(short), owner=os.geteuid())
        assert folder == Path(short) / "run"
        assert mode_of(folder) == 0o700


def test_a_long_home_has_its_sockets_in_a_short_folder_that_stays_the_same(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 100)
    folder = socket_folder(long, owner=os.geteuid())
    assert len(str(folder)) <= 80
    assert mode_of(folder) == 0o700
    assert socket_folder(long, owner=os.geteuid()) == folder
    other = tmp_path / ("y" * 100)
    assert socket_folder(other, owner=os.geteuid()) != folder
    for base in (long, other):
        remove_socket_folder(base, owner=os.geteuid())
    assert not folder.exists()


def test_a_socket_folder_in_use_is_not_removed(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 100)
    in_use = socket_folder(long, owner=os.geteuid()) / "a.sock"
    in_use.touch()
    remove_socket_folder(long, owner=os.geteuid())
    assert in_use.exists()
    in_use.unlink()
    remove_socket_folder(long, owner=os.geteuid())
    assert not in_use.parent.exists()


def test_a_socket_folder_open_to_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run").chmod(0o755)
    with pytest.raises(EmbeddedServerError, match="mode 0700"):
        socket_folder(tmp_path, owner=os.geteuid())


def test_a_link_in_place_of_a_socket_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EmbeddedServerError, match="mode 0700"):
        socket_folder(tmp_path, owner=os.geteuid())


def test_a_socket_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    with pytest.raises(EmbeddedServerError, match="must be a folder of user"):
        socket_folder(tmp_path, owner=os.geteuid() + 1)


def test_preparing_a_home_twice_changes_nothing(tmp_path: Path) -> None:
    home = StackHome.prepare(tmp_path / "home")
    assert StackHome.prepare(tmp_path / "home") == home
    assert mode_of(home.postgres) == mode_of(home.valkey) == 0o700


def test_a_log_past_eight_megabytes_starts_afresh(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"old\n" * 2_500_000)
    with open_log(log) as descriptor:
        os.write(descriptor, b"one\ntwo\n")
    assert log_tail(log) == "one\ntwo"
    assert log_tail(log, since=4) == "two"
    assert log_tail(log, lines=1) == "two"


def test_a_log_that_is_missing_or_empty_says_so(tmp_path: Path) -> None:
    assert "no log" in log_tail(tmp_path / "a.log")
    (tmp_path / "a.log").touch()
    assert "empty" in log_tail(tmp_path / "a.log")
