"""What somebody thinks of a response, a judge or a user, recorded at the response's own span, now or later.

Nothing of this stands on the path of a call: a program calls these functions when it has something to say.
"""

from __future__ import annotations

from genai_otel.quality.definitions import define_evaluation
from genai_otel.quality.feedbacks import record_feedback
from genai_otel.quality.results import record_evaluation
from genai_otel.quality.targets import response_ref

__all__ = ["define_evaluation", "record_evaluation", "record_feedback", "response_ref"]
