"""Who runs Postgres, and where: it refuses to run as root, so root must step down for it.

As an ordinary user nothing changes. As root, a user namespace makes the server see itself as
`nobody` while its files stay root's own, mode 0700. Where namespaces are refused, as in some
containers, the server runs as `nobody` itself, with its data, and if need be a copy of its
binaries, where that user can reach them.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from rag_core.embedded.binaries import PostgresInstall
from rag_core.embedded.home import socket_folder
from rag_core.errors import EmbeddedServerError


@dataclass(frozen=True)
class Seat:
    """The identity and the places with which Postgres runs.

    `prefix` goes in front of every command; `uid` and `gid` are switched to, unless None.
    """

    install: PostgresInstall
    state: Path
    sockets: Path
    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None


def find_seat(install: PostgresInstall, state: Path, base: Path) -> Seat:
    """Choose how Postgres may run on this machine.

    `state` is where the data should lie and `base` where its sockets should.

    Raises:
        EmbeddedServerError: this user is root and may neither make a user namespace nor switch.
    """
    here = os.geteuid()
    if here != 0:
        return Seat(install, state, socket_folder(base, owner=here))
    prefix = _namespace_prefix()
    if prefix and _can_use(prefix, install.tool("postgres"), state):
        return Seat(install, state, socket_folder(base, owner=here), prefix=prefix)
    return switched_seat(install, state)


def switched_seat(install: PostgresInstall, state: Path) -> Seat:
    """A seat for `nobody`: the data in `state` if that user can get there, else below /var/tmp.

    Raises:
        EmbeddedServerError: there is no such user, or a folder belongs to someone else.
    """
    nobody = _nobody()
    place = state
    if not others_can_enter(state.parent):
        place = Path("/var/tmp") / f"rag-postgres-{_digest(state)}"
        place.mkdir(mode=0o700, exist_ok=True)
    _hand_over(place, nobody)
    if not others_can_enter(install.root / "bin"):
        install = _copy_install(install, place, nobody)
    sockets = socket_folder(place, owner=nobody.pw_uid)
    return Seat(install, place, sockets, uid=nobody.pw_uid, gid=nobody.pw_gid)


def others_can_enter(folder: Path) -> bool:
    """Whether a user without rights of its own can get into a folder, from the root down."""
    return all(step.stat().st_mode & stat.S_IXOTH for step in (folder, *folder.parents))


def _namespace_prefix() -> tuple[str, ...]:
    unshare = shutil.which("unshare")
    if unshare is None:
        return ()
    nobody = _nobody()
    maps = (f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}")
    return (unshare, "--user", *maps, "--")


def _can_use(prefix: tuple[str, ...], program: Path, folder: Path) -> bool:
    """Try it: in its namespace root has no rights over the folders of other users."""
    script = 'test -x "$0" && test -w "$1"'
    command = [*prefix, "/bin/sh", "-c", script, str(program), str(folder)]
    return subprocess.run(command, capture_output=True, check=False, timeout=10).returncode == 0


def _nobody() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedServerError(
            "Postgres does not run as root, and there is no user 'nobody' to run it instead",
            "Run as an ordinary user, or set RAG_DATABASE_URL to a server of your own",
        ) from None


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _hand_over(folder: Path, owner: pwd.struct_passwd) -> None:
    """Give our own folder to the user that will run the server, with all that is in it."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), owner.pw_uid):
        raise EmbeddedServerError(f"{folder} belongs to someone else", "Remove it")
    if found.st_uid == owner.pw_uid:
        return
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in (*folders, *files):
            os.lchown(Path(parent) / name, owner.pw_uid, owner.pw_gid)
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    folder.chmod(0o700)


def _copy_install(
    install: PostgresInstall, place: Path, owner: pwd.struct_passwd
) -> PostgresInstall:
    """Copy the binaries once; the copy carries the server's size and time, to notice another."""
    original = install.tool("postgres").stat()
    copy = place / f"install-{original.st_size}-{int(original.st_mtime)}"
    if not copy.exists():
        unfinished = place / f"{copy.name}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(install.root, unfinished, symlinks=True)
        _hand_over(unfinished, owner)
        unfinished.rename(copy)
    return PostgresInstall(copy)
