"""Other people's vocabularies: any GenAI span → the names of the conventions.

A dialect is data, one file per family; `translate.py` reads it.  What a table cannot say does not belong here.
"""

from __future__ import annotations

from genai_otel.processing.dialects.translate import (
    Translation,
    is_named,
    operation,
    recognised,
    translated,
)

__all__ = ["Translation", "is_named", "operation", "recognised", "translated"]
