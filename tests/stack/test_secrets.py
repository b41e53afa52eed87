"""No secret passes the Collector, whoever sends it and wherever it stands; what is none stays as it is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import pytest
from opentelemetry.trace import Status, StatusCode

from tests.harness.secret_texts import AROUND, HARMLESS, NAMED, SECRETS
from tests.stack.observed import Running, Seen
from tests.stack.sending import logging_to, tracing

_SHAPED: Final = [around.format(secret) for secret in SECRETS for around in AROUND]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """A Collector that lets content pass, and has been told all of it, as values of an attribute and as lines."""
    texts = {"shaped": _SHAPED, "named": [text for text, _ in NAMED], "harmless": HARMLESS}
    with Running(tmp_path_factory.mktemp("secrets"), OTELCOL_CONTENT="keep") as seen:
        for kind, values in texts.items():
            with (
                tracing(seen.collector.endpoint, kind) as traces,
                logging_to(seen.collector.endpoint, kind) as logs,
            ):
                for value in values:
                    traces.get_tracer("app").start_span("work", attributes={"text": value}).end()
                    logs.get_logger("app").emit(body=value, timestamp=time.time_ns())
        wanted = sum(map(len, texts.values()))
        seen.traces.wait_for(lambda sink: len(sink.spans()) == wanted, timeout=30)
        seen.others.wait_for(lambda sink: len(sink.logs()) == wanted, timeout=30)
        yield seen


def _left(seen: Seen, kind: str) -> Iterator[list[str]]:
    """What is left of the texts of a kind: in spans, and in lines."""
    yield [str(span.attributes["text"]) for span in seen.spans(kind)]
    yield [str(log.body or "") for log in seen.others.logs() if log.resource["service.name"] == kind]


def test_keys_go_by_their_shape(seen: Seen) -> None:
    for left in _left(seen, "shaped"):
        assert [text for text in left if any(secret[6:] in text for secret in SECRETS)] == []


def test_secrets_go_by_what_stands_before_them(seen: Seen) -> None:
    for left in _left(seen, "named"):
        secrets = [_secrets(text, expected) for text, expected in NAMED]
        assert [
            text for text, gone in zip(left, secrets, strict=True) if any(each in text for each in gone)
        ] == []


def _secrets(text: str, expected: str) -> list[str]:
    """The pieces of a text that must not stay."""
    found: list[str] = []
    for before, behind in zip(expected.split("[REDACTED]"), expected.split("[REDACTED]")[1:], strict=False):
        text = text.partition(before)[2]
        found.append(text.partition(behind)[0] if behind else text)
    return [each for each in found if len(each) > 2]


def test_what_is_no_secret_stays(seen: Seen) -> None:
    for left in _left(seen, "harmless"):
        assert left == HARMLESS


def test_secrets_go_wherever_they_stand(seen: Seen) -> None:
    secret = SECRETS[0]
    with tracing(seen.collector.endpoint, "places", {"deploy.command": f"run --key {secret}"}) as provider:
        span = provider.get_tracer("app").start_span(
            f"GET {secret}", attributes={"password": "hunter2", "n": 7}
        )
        span.set_attribute("nested", f'[{{"api_key": "{secret}"}}]')
        span.set_attribute("listed", ["a", f"Bearer {secret}"])
        span.add_event("told", {"header": f"Bearer {secret}"})
        span.set_status(Status(StatusCode.ERROR, f"wrong key {secret}"))
        span.end()
    with logging_to(seen.collector.endpoint, "places") as logs:
        said = {"authorization": "abc123456", "deep": {"a": [{"b": f"key {secret}"}]}}
        logs.get_logger("app").emit(
            body={"said": [f"my key {secret}"]}, attributes=said, timestamp=time.time_ns()
        )
    seen.traces.wait_for(lambda _: seen.spans("places"))
    seen.others.wait_for(
        lambda sink: [log for log in sink.logs() if log.resource["service.name"] == "places"]
    )
    (span_left,) = seen.spans("places")
    assert secret not in repr(span_left) and "hunter2" not in repr(span_left)
    assert span_left.attributes["n"] == 7
    (log_left,) = [log for log in seen.others.logs() if log.resource["service.name"] == "places"]
    assert secret not in repr(log_left) and "abc123456" not in repr(log_left)
