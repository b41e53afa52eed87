"""One request on its way to a reply, as the endpoints of a wire format see it."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from genai_otel.testing.answer import Answer, Ask, Usage, compose, usage
from genai_otel.testing.directives import Plan
from genai_otel.testing.wire import Request


@dataclass(frozen=True)
class Job:
    """`model` is the plain name, `asked` the name with its directives; `said` a scripted answer."""

    request: Request
    model: str
    asked: str
    plan: Plan
    said: Answer | None = None

    @property
    def fields(self) -> Mapping[str, object]:
        return self.request.fields

    @property
    def dated_model(self) -> str:
        """The name that vendors answer with: the dated release behind an alias."""
        return self.model if re.search(r"\d{4}-?\d\d-?\d\d$", self.model) else self.model + "-2024-07-18"

    @property
    def streams(self) -> bool:
        """A client asked for a stream (a form says so in text)."""
        return self.fields.get("stream") in (True, "true", "True")

    def compose(self, ask: Ask) -> Answer:
        return self.said or compose(ask, self.plan)

    @property
    def usage(self) -> Usage:
        return usage(self.plan)


def new_id(prefix: str) -> str:
    return prefix + uuid.uuid4().hex


def now() -> int:
    return int(time.time())
