"""Chunks on tenants' own accounts: the pipeline runs here, the network (or a drawing) is called for."""

from services.inference.remote.engine import RemoteEngine
from services.inference.remote.segmenter import RemoteSegmenter

__all__ = ["RemoteEngine", "RemoteSegmenter"]
