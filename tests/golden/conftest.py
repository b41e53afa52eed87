"""Our own spans of the calls that the recorded packages made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import pytest

from genai_otel import metrics
from genai_otel.testing import ModelServer, Telemetry
from genai_otel.testing import telemetry as one_telemetry
from tests.golden.recipes.recipe import (
    Calls,
    anthropic_calls,
    anthropic_client,
    bedrock_calls,
    bedrock_client,
    mistral_calls,
    mistral_client,
    openai_calls,
    openai_client,
    xai_calls,
    xai_client,
)
from tests.golden.replay import Series

PORT = 8080


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "golden" in item.path.parts:
            # Connections that tests of the contract suite dropped may be collected here.
            item.add_marker(pytest.mark.filterwarnings("ignore:(?i)unclosed:ResourceWarning"))


@dataclass(frozen=True)
class Own:
    """What we say of a call: the attributes of its span, and its series with count and sum."""

    facts: Mapping[str, Any]
    measured: Mapping[Series, tuple[int, float]]


@pytest.fixture(scope="session")
def own() -> Mapping[str, Mapping[str, Own]]:
    """By vendor and call, with the real clients, those that are installed."""
    telemetry = one_telemetry()
    found: dict[str, Mapping[str, Own]] = {}
    for vendor, make, calls in (
        ("openai", openai_client, openai_calls),
        ("anthropic", anthropic_client, anthropic_calls),
        ("boto3", bedrock_client, bedrock_calls),
        ("mistralai", mistral_client, mistral_calls),
        ("xai_sdk", xai_client, xai_calls),
    ):
        if find_spec(vendor) is not None:
            with ModelServer() as server, make(server) as client:
                found[vendor] = _called(telemetry, server, calls(server, client))
    telemetry.clear()
    return found


_OPEN = {
    metrics.ACTIVE_OPERATIONS,
    metrics.ACTIVE_AGENTS,
    metrics.SERVER_ACTIVE_REQUESTS,
    metrics.SERVER_QUEUE_LENGTH,
}
"""What is open just now is said of every kind that was ever open, whoever opened it."""


def _called(telemetry: Telemetry, server: ModelServer, calls: Calls) -> dict[str, Own]:
    found: dict[str, Own] = {}
    for name, call in calls:
        telemetry.clear()
        server.clear()
        call()
        facts = dict(telemetry.span().attributes or {})
        found[name] = Own({**facts, "server.port": PORT}, _series(telemetry))
    return found


def _series(telemetry: Telemetry) -> dict[Series, tuple[int, float]]:
    found: dict[Series, tuple[int, float]] = {}
    for name, points in telemetry.metrics().items():
        if name in _OPEN:
            continue
        for point in points:
            if "gen_ai.operation.name" not in point.attributes:
                continue
            labels = {**point.attributes, "server.port": PORT}
            timed = name.endswith(("duration", "chunk"))
            value = (point.count or round(point.value), 0 if timed else point.sum or point.value)
            found[name, frozenset(labels.items())] = value
    return found
