"""Starting, watching and stopping a process, the same for every service."""

from libs.common.lifecycle.lifecycle import Lifecycle, serve

__all__ = ["Lifecycle", "serve"]
