"""Whether a result may go to a shop as it is, and what is wrong with it if not."""

from services.inference.pipeline.verdict.judgement import Found, Judgement, judge
from services.inference.pipeline.verdict.reasons import Reason

__all__ = ["Found", "Judgement", "Reason", "judge"]
