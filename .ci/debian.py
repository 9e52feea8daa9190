"""Debian's packages (or Ubuntu's), fetched without installing them.

apt fetches them from where it is told to and checks them by their signature. Nobody need be root:
all that apt writes goes below a folder of the caller's.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def there() -> bool:
    """Whether this machine has what is needed."""
    return bool(shutil.which("apt-get") and shutil.which("dpkg-deb"))


def unpack(package: str, root: Path, work: Path, *, with_dependencies: bool = False) -> None:
    """Unpack a package below `root`.

    Args:
        work: an empty folder, for apt.
        with_dependencies: the packages that it needs, and that this machine lacks, as well.

    Raises:
        CalledProcessError: apt reaches nothing, or knows no such package.
    """
    state, archives = work / "state", work / "cache/archives"
    for folder in (state / "lists/partial", archives / "partial"):
        folder.mkdir(parents=True)
    options = (
        *(f"Dir::State={state}", "Dir::State::status=/var/lib/dpkg/status"),
        *(f"Dir::Cache={work / 'cache'}", "APT::Sandbox::User=root", "Debug::NoLocking=true"),
    )
    apt = ["apt-get", "-qq", *(word for option in options for word in ("-o", option))]
    subprocess.run([*apt, "update"], check=True)
    if with_dependencies:
        install = ["install", "--download-only", "--no-install-recommends", "--yes"]
        subprocess.run([*apt, *install, package], check=True, stdout=subprocess.DEVNULL)
    else:
        subprocess.run([*apt, "download", package], check=True, cwd=archives)
    for each in sorted(archives.glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", str(each), str(root)], check=True)
