"""The folder that holds an embedded stack: its data, its logs and its sockets."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rag_core.errors import EmbeddedServerError

# sun_path holds 108 bytes; Postgres appends ".s.PGSQL.5432.lock" and may shorten further.
LONGEST_SOCKET_FOLDER = 80
LONGEST_LOG_BYTES = 8 * 1024 * 1024
# libpq takes a comma in a socket's folder for the end of a host; others trip over quotes.
_PLAIN = re.compile(r"[\w/.+-]+", re.ASCII)
_FIX = "Set RAG_HOME to a folder that this user may write in"


@dataclass(frozen=True)
class StackHome:
    """Names every path below the home folder; the folder itself may have any permissions."""

    root: Path

    @classmethod
    def prepare(cls, root: Path) -> StackHome:
        """Create the folders that are missing; existing ones keep their permissions.

        Raises:
            EmbeddedServerError: the home cannot be written.
        """
        home = cls(root.expanduser().resolve())
        if re.search(r"[\r\n]", str(home.root)):
            raise EmbeddedServerError(f"{str(home.root)!r} holds a line break", _FIX)
        try:
            home.root.mkdir(parents=True, exist_ok=True)
            for folder in (home.postgres, home.valkey):
                folder.mkdir(mode=0o700, exist_ok=True)
            for folder in (home.root, home.postgres, home.valkey):
                try_writing(folder)
        except OSError as error:
            raise unwritable(home.root, error) from error
        return home

    @property
    def lock(self) -> Path:
        """Locked by the supervisor while it lives; says where its control socket is."""
        return self.root / "supervisor.lock"

    @property
    def supervisor_log(self) -> Path:
        """What the supervisor writes."""
        return self.root / "supervisor.log"

    @property
    def postgres(self) -> Path:
        """The folder of Postgres: its data, unless another user must run it."""
        return self.root / "postgres"

    @property
    def postgres_log(self) -> Path:
        """What Postgres writes."""
        return self.root / "postgres.log"

    @property
    def valkey(self) -> Path:
        """Valkey's working folder."""
        return self.root / "valkey"

    @property
    def valkey_log(self) -> Path:
        """What Valkey writes."""
        return self.root / "valkey.log"


def try_writing(folder: Path) -> None:
    """Write a file without a name in `folder`: permission bits alone do not say that it works.

    Raises:
        OSError: it does not.
    """
    with tempfile.TemporaryFile(dir=folder):
        pass


def unwritable(home: Path, error: OSError) -> EmbeddedServerError:
    """The error for a home that `error` came from."""
    return EmbeddedServerError(f"cannot write in {home} ({error.strerror or error})", _FIX)


def socket_folder(base: Path, *, owner: int) -> Path:
    """A folder of mode 0700 for sockets: `base/run`, or a short plain one in the temp folder.

    The name depends only on `base` and `owner`, the number of a user.

    Raises:
        EmbeddedServerError: the folder exists but belongs to someone else or is open to others:
            whoever made it could listen in our place.
    """
    folder = _socket_folder_name(base, owner)
    try:
        folder.mkdir(mode=0o700)
        if owner != os.geteuid():
            os.chown(folder, owner, -1)
    except FileExistsError:
        _verify_private(folder, owner)
    return folder


def remove_socket_folder(base: Path, *, owner: int) -> None:
    """Remove the folder outside of a base, if it is empty; `base/run` stays.

    `owner` is the number of a user.
    """
    folder = _socket_folder_name(base, owner)
    if folder.parent != base:
        with suppress(OSError):  # someone's socket is still in it, or it was never made
            folder.rmdir()


def _socket_folder_name(base: Path, owner: int) -> Path:
    folder = base / "run"
    if len(os.fsencode(folder)) > LONGEST_SOCKET_FOLDER or not _PLAIN.fullmatch(str(folder)):
        folder = _short_temp_folder() / f"rag-{owner}-{_digest(base)}"
    return folder


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _short_temp_folder() -> Path:
    preferred = Path(tempfile.gettempdir())
    usable = len(os.fsencode(preferred)) <= 40 and _PLAIN.fullmatch(str(preferred))
    return preferred if usable else Path("/tmp")


def _verify_private(folder: Path, owner: int) -> None:
    found = folder.lstat()
    private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
    if not private or found.st_uid != owner:
        raise EmbeddedServerError(
            f"{folder} must be a folder of user {owner} with mode 0700, "
            f"but has owner {found.st_uid} and mode {stat.filemode(found.st_mode)}",
            "Find out who made it, then remove it",
        )


@contextmanager
def open_log(path: Path) -> Iterator[int]:
    """Open a log for appending, mode 0600, emptied first when it has grown past 8 MB."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        if os.fstat(descriptor).st_size > LONGEST_LOG_BYTES:
            os.ftruncate(descriptor, 0)
        yield descriptor
    finally:
        os.close(descriptor)


def log_tail(path: Path, *, since: int = 0, lines: int = 15) -> str:
    """The last lines that were written to a log after byte `since`."""
    if not path.exists():
        return "(no log was written)"
    with path.open("rb") as log:
        log.seek(since)
        text = log.read().decode("utf-8", "replace")
    return "\n".join(text.splitlines()[-lines:]) or "(the log is empty)"
