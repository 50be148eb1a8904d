"""What can go wrong while running everything on one machine.

LocalError
├── AlreadyRunning      a second supervisor on one state folder
├── ServerUnavailable   a server that can't be had on this machine
├── StartFailed         a process that ended or stayed silent instead of getting ready
├── KeepsDying          a process that died too often to be started again
└── StaleProcess        a process of an earlier run that can't be ended
"""

from __future__ import annotations


class LocalError(Exception):
    """Running on one machine failed."""


class AlreadyRunning(LocalError):
    """Another `mannequin up` uses this state folder; stop it, or give another folder with --state."""

    def __init__(self, folder: str, pid: int | None) -> None:
        super().__init__(f"{folder} is in use by process {pid or 'unknown'}. {self.__doc__}")
        self.folder = folder
        self.pid = pid


class ServerUnavailable(LocalError):
    """A server can't be had on this machine; the reason says what to install."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} can't run here: {reason}")
        self.name = name
        self.reason = reason


class StartFailed(LocalError):
    """A process did not get ready; the end of its log says why."""

    def __init__(self, name: str, what: str, log_tail: str) -> None:
        super().__init__(f"{name} {what}. The end of its log:\n{log_tail}")
        self.name = name
        self.what = what
        self.log_tail = log_tail


class KeepsDying(LocalError):
    """A process dies again and again; starting it once more would not help."""

    def __init__(self, name: str, deaths: int, window_s: float, log_tail: str) -> None:
        super().__init__(
            f"{name} died {deaths} times within {window_s:.0f} s, so everything stops. "
            f"The end of its log:\n{log_tail}"
        )
        self.name = name
        self.deaths = deaths


class StaleProcess(LocalError):
    """A process left by an earlier run belongs to another user; end it as that user."""

    def __init__(self, name: str, pid: int) -> None:
        super().__init__(f"{name} of an earlier run is still there as process {pid}. {self.__doc__}")
        self.name = name
        self.pid = pid
