"""The Collector's fragments that are made from the library's own tables, so that both say the same of a span."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from otelcol import content, dialects, measures

_FOLDER: Final = Path(__file__).resolve().parents[2] / "collector-config" / "otelcol"
FRAGMENTS: Final = (
    (_FOLDER / "20-dialects.yaml", dialects.document),
    (_FOLDER / "30-content.yaml", content.document),
    (_FOLDER / "40-measure.yaml", measures.document),
)
