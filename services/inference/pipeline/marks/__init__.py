"""Telling machines that a picture holds invented pixels: IPTC metadata, and signed C2PA manifests."""

from services.inference.pipeline.marks.source import DigitalSource as DigitalSource
from services.inference.pipeline.marks.source import invented as invented
from services.inference.pipeline.marks.source import source_of as source_of
