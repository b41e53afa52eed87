"""Web apps: traced whatever was imported first, flushed when their server stops, and what they tell their callers."""

from __future__ import annotations

from genai_otel.web.apps import cover_fastapi, instrument_app, native_export_off
from genai_otel.web.stopping import cover

__all__ = ["cover", "cover_fastapi", "instrument_app", "native_export_off"]
