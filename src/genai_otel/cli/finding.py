"""What ``genai-otel doctor`` says: one finding per line, with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Level = Literal["ok", "note", "problem"]


@dataclass(frozen=True)
class Finding:
    """One fact.  A ``note`` is worth knowing, a ``problem`` keeps something from working; ``facts`` are for JSON."""

    area: str
    level: Level
    text: str
    advice: str = ""
    facts: Mapping[str, object] = field(default_factory=dict[str, object])

    def json(self) -> dict[str, object]:
        written: dict[str, object] = {"area": self.area, "level": self.level, "text": self.text}
        if self.advice:
            written["advice"] = self.advice
        return {**written, **self.facts}
