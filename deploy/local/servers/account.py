"""The unprivileged user for servers that refuse to run as root, and the way to their folders.

PostgreSQL will not run as root, so as root it runs as the system user `pgserver` (the name that its wheel
uses too). That user must be able to search every folder above its binaries and its data, also below a private
one such as `/root`. Our own state folder is opened to the user's group alone (0710). Folders above it get
search permission for others (`o+x`), which lets nobody list them; the wheel's own launcher would add read
permission as well.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

from deploy.local.errors import ServerUnavailable
from deploy.local.processes import Account

USER = "pgserver"


def why_no_account() -> str | None:
    """The reason why root can't get an unprivileged user here, or None."""
    if os.geteuid() != 0 or _existing() or shutil.which("useradd"):
        return None
    return f"root needs an unprivileged user {USER} for it, and there is no useradd to make one"


def unprivileged_account() -> Account | None:
    """The account to run as: None for a plain user, who runs it as themself. Makes the user as root.

    Raises ServerUnavailable.
    """
    if os.geteuid() != 0:
        return None
    if not _existing():
        command = [
            "useradd",
            "--system",
            "--user-group",
            "--no-create-home",
            "--shell",
            "/usr/sbin/nologin",
            USER,
        ]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode != 0 and not _existing():
            raise ServerUnavailable("postgres", f"useradd {USER} failed: {done.stderr.strip()}")
    return _existing()


def _existing() -> Account | None:
    try:
        entry = pwd.getpwnam(USER)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid)


def let_group_search(folder: Path, account: Account) -> None:
    """Opens a private folder of ours to one group: search only."""
    os.chown(folder, -1, account.gid)
    folder.chmod(0o710)


def let_search(path: Path, account: Account) -> list[Path]:
    """Makes every folder above `path` searchable for the account; the folders that it changed."""
    closed = [folder for folder in path.resolve().parents if not _may_search(folder.stat(), account)]
    for folder in closed:
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IXOTH)
    return closed


def let_read(tree: Path) -> None:
    """Makes installed files readable for everyone, where a strict umask hid them."""
    for path in (tree, *tree.rglob("*")):
        if path.is_symlink():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        wanted = mode | (0o055 if path.is_dir() or mode & stat.S_IXUSR else 0o044)
        if mode != wanted:
            path.chmod(wanted)


def _may_search(info: os.stat_result, account: Account) -> bool:
    if info.st_uid == account.uid:
        return bool(info.st_mode & stat.S_IXUSR)
    if info.st_gid == account.gid:
        return bool(info.st_mode & stat.S_IXGRP)
    return bool(info.st_mode & stat.S_IXOTH)
