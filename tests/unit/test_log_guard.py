"""What leaves in log records: the same policy as for spans."""

from __future__ import annotations

import json
import traceback
from collections.abc import Sequence
from typing import Any

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExportResult, SimpleLogRecordProcessor

from genai_otel import fence, semconv
from genai_otel.guard import LogGuard
from genai_otel.safe import REDACTED

KEY = "sk-proj-0123456789abcdef"
CANARY = "canary-of-what-was-said"


class Kept:
    """Keeps what it gets, part by part."""

    def __init__(self, result: LogRecordExportResult = LogRecordExportResult.SUCCESS) -> None:
        self.parts: list[Sequence[ReadableLogRecord]] = []
        self.result = result
        self.open = True

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        self.parts.append(batch)
        return self.result

    def shutdown(self) -> None:
        self.open = False

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return timeout_millis > 1


def emitted(*records: dict[str, Any], scope: str = "app") -> list[ReadableLogRecord]:
    """Records of the SDK's, each from the arguments of ``Logger.emit``."""
    kept: Any = Kept()
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(kept))
    for record in records:
        provider.get_logger(scope).emit(**record)
    return [record for part in kept.parts for record in part]


def guarded(records: list[ReadableLogRecord], **options: Any) -> list[ReadableLogRecord]:
    kept: Any = Kept()
    assert LogGuard(kept, **options).export(records) is LogRecordExportResult.SUCCESS
    return [record for part in kept.parts for record in part]


def exported(records: list[ReadableLogRecord]) -> bytes:
    return encode_logs(records).SerializeToString()


def test_clean_records_leave_as_the_very_same_objects() -> None:
    records = emitted(
        {"body": "ready", "attributes": {"port": 8000, "names": ["a"]}}, {"body": {"a": ["b"]}}, {}
    )
    kept = guarded(records)
    assert all(mine is theirs for mine, theirs in zip(kept, records, strict=True))


def test_secrets_go_wherever_they_stand() -> None:
    record = {
        "body": f"key is {KEY}",
        "attributes": {"note": KEY, "password": "hunter2", "nested": {"list": [KEY]}},
    }
    before = emitted(record, {"body": {"deep": [KEY]}})
    kept = guarded(before)
    assert KEY.encode() not in exported(kept)
    assert b"hunter2" not in exported(kept)
    assert kept[0].log_record.body == f"key is {REDACTED}"
    assert kept[1].log_record.body == {"deep": (REDACTED,)} or kept[1].log_record.body == {"deep": [REDACTED]}
    assert kept[0].log_record.timestamp == before[0].log_record.timestamp
    assert kept[0].log_record.trace_id == before[0].log_record.trace_id
    assert kept[0].resource is before[0].resource
    assert before[0].log_record.body == f"key is {KEY}", "the record of the others is not ours to change"


@pytest.mark.contract  # with the oldest dependencies, too
@pytest.mark.parametrize("dropped", [0, 3])
def test_mappings_stay_where_another_value_is_cleaned(dropped: int) -> None:
    """Versions differ in what an attribute may be; of a span none is a mapping."""
    (record,) = emitted({"body": "x", "attributes": {"nested": {"list": [{"a": 1}]}, "note": KEY}})
    said: Any = record.log_record.attributes
    said.dropped = dropped
    (kept,) = guarded([record])
    found = dict(kept.log_record.attributes or {})
    assert found["note"] == REDACTED
    assert json.loads(json.dumps(found["nested"])) == {"list": [{"a": 1}]}
    assert kept.dropped_attributes == dropped


@pytest.mark.parametrize(
    "record",
    [
        {
            "event_name": semconv.EVENT_OPERATION_DETAILS,
            "attributes": {semconv.INPUT_MESSAGES: [{"parts": [CANARY]}]},
        },
        {"event_name": "gen_ai.user.message", "body": {"content": CANARY}},
        {"event_name": "gen_ai.choice", "body": {"message": {"content": CANARY}, "index": 0}},
        {
            "event_name": "gen_ai.client.operation.exception",
            "attributes": {"gen_ai.operation.name": "chat", "exception.message": CANARY},
        },
    ],
)
def test_content_stays_inside_by_default(record: dict[str, Any]) -> None:
    records = emitted(record)
    assert CANARY.encode() not in exported(guarded(records))
    assert guarded(records, content_on_events=True)[0] is records[0]


def test_debug_lines_of_a_client_quote_requests_and_lose_their_text() -> None:
    debug = {"body": f"Request options: {CANARY}", "severity_number": SeverityNumber.DEBUG}
    info = {"body": "Retrying request", "severity_number": SeverityNumber.INFO}
    kept = guarded(emitted(debug, info, scope="openai._base_client"))
    assert [record.log_record.body for record in kept] == [REDACTED, "Retrying request"]
    (own,) = emitted(debug)
    assert guarded([own])[0] is own


def test_a_logged_exception_of_a_client_says_its_class_only() -> None:
    openai = pytest.importorskip("openai")
    message = f"your input {CANARY} is refused"
    try:
        raise openai.OpenAIError(message)
    except openai.OpenAIError:
        trace = traceback.format_exc()
    told = {"exception.type": "OpenAIError", "exception.message": message, "exception.stacktrace": trace}
    (record,) = guarded(emitted({"body": f"call failed: {message}", "attributes": told}))
    assert CANARY.encode() not in exported([record])
    assert record.log_record.body == "call failed: OpenAIError"
    assert dict(record.log_record.attributes or {}) == {"exception.type": "OpenAIError"}


def test_a_logged_exception_of_the_program_keeps_its_text() -> None:
    attributes = {
        "exception.type": "ValueError",
        "exception.message": "no such table",
        "exception.stacktrace": "…",
    }
    records = emitted({"body": "failed", "attributes": attributes})
    assert guarded(records)[0] is records[0]


def test_an_oversize_record_fits() -> None:
    attributes = {semconv.INPUT_MESSAGES: "[" + "x" * 100_000 + "]", "note": "y" * 1000}
    (record,) = guarded(
        emitted({"body": "z" * 100_000, "attributes": attributes}), content_on_events=True, span_bytes=10_000
    )
    assert len(exported([record])) < 12_000
    assert dict(record.log_record.attributes or {}) == {"note": "y" * 1000, semconv.TRUNCATED: True}
    assert isinstance(record.log_record.body, str)
    assert "…[truncated " in record.log_record.body


def test_an_oversize_batch_goes_in_parts_and_one_failure_is_the_result() -> None:
    kept: Any = Kept(LogRecordExportResult.FAILURE)
    records = emitted(*[{"body": "x" * 10_000}] * 20)
    assert LogGuard(kept, batch_bytes=100_000).export(records) is LogRecordExportResult.FAILURE
    assert [len(part) for part in kept.parts] == [9, 9, 2]


def test_a_record_that_cannot_be_cleaned_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(fence, "strict", False)
    monkeypatch.setattr(LogGuard, "_body", fails)
    before = fence.drops().get(("logs", "unreadable"), 0)
    assert guarded(emitted({"body": CANARY})) == []
    assert fence.drops()[("logs", "unreadable")] == before + 1


def test_shutdown_and_flush_reach_the_exporter() -> None:
    kept: Any = Kept()
    guard = LogGuard(kept)
    assert guard.force_flush(10) is True
    assert guard.force_flush(1) is False
    guard.shutdown()
    assert not kept.open
