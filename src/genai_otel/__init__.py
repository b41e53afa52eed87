"""genai-otel: OpenTelemetry for GenAI calls.  One call, one span, one count.

>>> import genai_otel
>>> genai_otel.setup()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genai_otel import _identity  # first: says so when another distribution has overwritten our files
from genai_otel.runtime import flush, setup, shutdown
from genai_otel.version import __version__

if TYPE_CHECKING:
    from genai_otel.annotate import agent, cache, retrieval, task, tool, workflow
    from genai_otel.annotate.events import event, parse_failure, parsing, trace_id
    from genai_otel.annotate.stages import iteration, stage
    from genai_otel.config import Config, SettingError
    from genai_otel.engine.patch import instrument
    from genai_otel.manual.inferring import Inference, inference
    from genai_otel.manual.serving import Serving, serve
    from genai_otel.manual.told import context
    from genai_otel.quality.definitions import define_evaluation
    from genai_otel.quality.evaluators import evaluate
    from genai_otel.quality.feedbacks import feedback, record_feedback
    from genai_otel.quality.results import record_evaluation
    from genai_otel.quality.targets import response_ref
    from genai_otel.runtime.handle import Handle
    from genai_otel.spec import ClientSpec, Endpoint
    from genai_otel.spending import spent
    from genai_otel.web import instrument_app
    from genai_otel.web.probes import probe_models
    from genai_otel.wrapping import pipeline, sampler

__all__ = [
    "ClientSpec",
    "Config",
    "Endpoint",
    "Handle",
    "Inference",
    "Serving",
    "SettingError",
    "__version__",
    "agent",
    "cache",
    "context",
    "define_evaluation",
    "evaluate",
    "event",
    "feedback",
    "flush",
    "inference",
    "instrument",
    "instrument_app",
    "iteration",
    "parse_failure",
    "parsing",
    "pipeline",
    "probe_models",
    "record_evaluation",
    "record_feedback",
    "response_ref",
    "retrieval",
    "sampler",
    "serve",
    "setup",
    "shutdown",
    "spent",
    "stage",
    "task",
    "tool",
    "trace_id",
    "workflow",
]

_LATER = {
    "ClientSpec": "genai_otel.spec",
    "Config": "genai_otel.config",
    "Endpoint": "genai_otel.spec",
    "Handle": "genai_otel.runtime.handle",
    "Inference": "genai_otel.manual.inferring",
    "Serving": "genai_otel.manual.serving",
    "SettingError": "genai_otel.config",
    "agent": "genai_otel.annotate",
    "cache": "genai_otel.annotate",
    "context": "genai_otel.manual.told",
    "define_evaluation": "genai_otel.quality.definitions",
    "evaluate": "genai_otel.quality.evaluators",
    "event": "genai_otel.annotate.events",
    "feedback": "genai_otel.quality.feedbacks",
    "inference": "genai_otel.manual.inferring",
    "instrument": "genai_otel.engine.patch",
    "instrument_app": "genai_otel.web",
    "iteration": "genai_otel.annotate.stages",
    "parse_failure": "genai_otel.annotate.events",
    "parsing": "genai_otel.annotate.events",
    "pipeline": "genai_otel.wrapping",
    "probe_models": "genai_otel.web.probes",
    "record_evaluation": "genai_otel.quality.results",
    "record_feedback": "genai_otel.quality.feedbacks",
    "response_ref": "genai_otel.quality.targets",
    "retrieval": "genai_otel.annotate",
    "sampler": "genai_otel.wrapping",
    "serve": "genai_otel.manual.serving",
    "spent": "genai_otel.spending",
    "stage": "genai_otel.annotate.stages",
    "task": "genai_otel.annotate",
    "tool": "genai_otel.annotate",
    "trace_id": "genai_otel.annotate.events",
    "workflow": "genai_otel.annotate",
}


def __getattr__(name: str) -> Any:
    """Load what not every program needs when it is first asked for."""
    from importlib import import_module

    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_identity.check()
