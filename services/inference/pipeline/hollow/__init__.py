"""The hollow neck: what shows in the garment's openings once nobody is inside."""

from services.inference.pipeline.hollow.filling import NOTES, Filling, Hidden, Note, Source
from services.inference.pipeline.hollow.hollow_out import hollow_out
from services.inference.pipeline.hollow.inside_shot import Drawn, InsideShot

__all__ = ["NOTES", "Drawn", "Filling", "Hidden", "InsideShot", "Note", "Source", "hollow_out"]
