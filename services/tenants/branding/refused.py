"""Why a picture is not taken. A module of its own, so that the child process needs nothing else of ours."""

from __future__ import annotations


class Refused(Exception):
    """The message is for whoever sent the picture."""
