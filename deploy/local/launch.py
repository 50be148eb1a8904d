"""Becomes another program that can't outlive its parent; run by path, imports nothing of ours.

Usage: launch.py PARENT_PID DEATH_SIGNAL UID GID PROGRAM [ARGUMENT...]   (UID and GID -1: as they are)

A program of its own and not a `preexec_fn`, which is unsafe in a process with threads. Outside Linux there is
no parent-death signal, so there a killed supervisor leaves its children to the clean-up at the next start.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def drop_to(uid: int, gid: int) -> None:
    """Gives up the rights of the present user for good."""
    if uid < 0:
        return
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with_parent(parent: int, death_signal: int) -> None:
    """Has the kernel send `death_signal` when the parent ends; ends now if it already has."""
    if (
        sys.platform == "linux"
        and ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal) != 0
    ):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        sys.exit("the supervisor has ended")


def main(parent: str, death_signal: str, uid: str, gid: str, *argv: str) -> None:
    """Drops rights first: a change of user clears the parent-death signal."""
    drop_to(int(uid), int(gid))
    die_with_parent(int(parent), int(death_signal))
    os.execvp(argv[0], argv)  # noqa: S606


if __name__ == "__main__":
    main(*sys.argv[1:])
