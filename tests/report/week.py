"""A week of an application in seconds, made by the library itself under a clock that the week moves.

    python -m tests.report.week FOLDER START    # seconds since the epoch

It writes `spans.jsonl`, as the Collector's file exporter does, and prints as JSON what was done, counted by hand.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

DAY, HOUR, MINUTE = 86_400, 3_600, 60
OUTAGE = (2 * DAY + 14 * HOUR, 40 * MINUTE)
"""The vendor's, on the third day: its start and its length."""
SLOW = (4 * DAY + 9 * HOUR, 3 * HOUR)


class Clock:
    """What everybody in this process takes for the time."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.now = start * 1_000_000_000

    def nanoseconds(self) -> int:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += round(seconds * 1e9)

    def jump(self, second: float) -> None:
        self.now = max(self.now, round((self.start + second) * 1e9))

    @property
    def second(self) -> float:
        return self.now / 1e9 - self.start

    def within(self, stretch: tuple[int, int]) -> bool:
        return stretch[0] <= self.second < sum(stretch)


class Overloaded(Exception):
    """As a vendor's client raises it."""

    status_code = 529


_WRITING = threading.Lock()


class Lines:
    """An exporter of spans, or of log records, that writes a line a batch."""

    def __init__(self, file: Any, encode: Any) -> None:
        self._file, self._encode = file, encode

    def export(self, batch: Any) -> Any:
        from google.protobuf.json_format import MessageToJson
        from opentelemetry.sdk.trace.export import SpanExportResult

        line = MessageToJson(self._encode(batch), indent=None) + "\n"
        with _WRITING:  # spans and log records come from threads of their own
            self._file.write(line)
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None: ...

    def force_flush(self, timeout_millis: int = 0) -> bool:
        return True


class Week:
    """What the application does."""

    def __init__(self, clock: Clock, genai_otel: Any) -> None:
        self.clock, self.api = clock, genai_otel
        self.random = random.Random(7)
        self.done: Counter[str] = Counter()
        self.seconds: list[float] = []
        self.ratings: list[int] = []

    def live(self) -> None:
        for hour in range(7 * 24):
            busy = 1 + 7 * (8 <= hour % 24 < 18) * (hour // 24 < 5)
            for number in range(busy):
                self.clock.jump(hour * HOUR + number * HOUR / busy + self.random.uniform(0, 300))
                self.diagnose(self.random.choice(("press", "pump", "robot")))
            self.api.flush()

    def diagnose(self, equipment: str) -> None:
        told = {"plant.id": self.random.choice(("berlin", "lyon")), "equipment.id": equipment}
        try:
            with self.api.context(**told), self.api.workflow("diagnose"):
                with self.api.agent("vision"):
                    self.call("gpt-4o", 2.0, tokens=(1_400, 90))
                with self.api.agent("rag"):
                    self.search(equipment)
                    self.call("gpt-4o-mini", 1.2, tokens=(3_000, 220), cached=1_024)
                    self.judge()
                with self.api.agent("report"):
                    self.write()
        except Overloaded:
            self.done["runs failed"] += 1

    def search(self, equipment: str) -> None:
        with self.api.cache("manuals") as look:
            self.clock.pass_(0.002)
            look.hit(self.random.random() < 0.4)
        with self.api.retrieval("manuals", provider="qdrant", top_k=3):
            self.clock.pass_(0.05)
        with self.api.tool("maintenance_log"):
            self.clock.pass_(0.2 if equipment != "robot" else 0.6)

    def write(self) -> None:
        for number in (1, 2):
            with self.api.stage("draft", iteration=number):
                self.call("claude-3-5-haiku-20241022", 1.5, tokens=(900, 400), provider="anthropic")
        self.call("plant-tuned-7b", 0.4, tokens=(500, 60), provider="in-house")
        if self.random.random() < 0.3:
            stars = self.random.choices((1, 3, 4, 5), (1, 2, 5, 4))[0]
            self.ratings.append(stars)
            self.api.record_feedback(self.api.response_ref(), stars)

    def call(
        self,
        model: str,
        seconds: float,
        *,
        tokens: tuple[int, int],
        cached: int = 0,
        provider: str = "openai",
    ) -> None:
        seconds *= self.random.lognormvariate(0, 0.35) * (4 if self.clock.within(SLOW) else 1)
        begun = self.clock.now
        self.done["calls"] += 1
        try:
            with self.api.inference("chat", provider=provider, model=model) as call:
                if self.clock.within(OUTAGE) and provider == "openai":
                    self.clock.pass_(0.4)
                    self.done["failed"] += 1
                    raise Overloaded("overloaded")
                for _ in call.stream(self.chunks(seconds)):
                    pass
                facts = {"cached_tokens": cached} if cached else {}
                call.response(
                    finish_reasons=["stop"], input_tokens=tokens[0], output_tokens=tokens[1], **facts
                )
        finally:
            self.seconds.append((self.clock.now - begun) / 1e9)

    def chunks(self, seconds: float) -> Any:
        for place in range(5):
            self.clock.pass_(seconds * (0.3 if place == 0 else 0.175))
            yield place

    def judge(self) -> None:
        verdict = "fail" if self.random.random() < 0.04 else "pass"
        self.done[f"groundedness {verdict}"] += 1
        self.api.record_evaluation(None, "groundedness", float(verdict == "pass"), verdict, evaluator="llm")


def main(folder: Path, start: int) -> None:
    clock = Clock(start)
    time.time_ns = time.perf_counter_ns = clock.nanoseconds  # before anybody has taken them
    from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    import genai_otel

    week = Week(clock, genai_otel)
    with (folder / "spans.jsonl").open("w", encoding="utf-8") as file:
        exporters: dict[str, Any] = {
            "span_exporters": [Lines(file, encode_spans)],
            "log_exporters": [Lines(file, encode_logs)],
        }
        genai_otel.setup(service_name="copilot", **exporters)
        week.live()
        spent = genai_otel.spent()
        genai_otel.shutdown()
    found = sorted(week.seconds)
    said = {"spent": spent, "p95": found[round(0.95 * len(found))], "ratings": week.ratings, **week.done}
    print(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
