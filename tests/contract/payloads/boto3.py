"""Boto3's clients of Bedrock, and of the agents that it runs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3.session
from botocore.config import Config

from tests.contract.payload import Payload
from tests.contract.payloads._bedrock import CASES, HOST, MODEL, error_type, keys


@cache
def session() -> Any:
    """One for all: making one takes longer than a call."""
    made: Any = boto3.session  # its types know nothing
    return made.Session(**keys())


class Clients:
    """The clients of both services, made when they are needed: that takes longer than a call."""

    def __init__(self, base_url: str, config: Mapping[str, Any]) -> None:
        self._arguments: dict[str, Any] = {"endpoint_url": base_url, "config": Config(**config)}
        self._made: dict[str, Any] = {}

    def _client(self, service: str) -> Any:
        if service not in self._made:
            self._made[service] = session().client(service, **self._arguments)
        return self._made[service]

    @property
    def models(self) -> Any:
        return self._client("bedrock-runtime")

    @property
    def agents(self) -> Any:
        return self._client("bedrock-agent-runtime")

    def limit(self, seconds: float) -> None:
        """Of clients that are still to be made."""
        self._arguments["config"] = self._arguments["config"].merge(Config(read_timeout=seconds))

    def close(self) -> None:
        for client in self._made.values():
            client.close()


def _make(base_url: str, asynchronous: bool, *, max_retries: int = 0, **config: Any) -> Clients:
    assert not asynchronous
    retries = {"total_max_attempts": max_retries + 1, "mode": "standard"}
    return Clients(base_url, {"retries": retries, **config})


PAYLOAD = Payload(
    client="boto3",
    provider="aws.bedrock",
    make=_make,
    model=MODEL,
    cases=CASES,
    host=HOST,
    forms=(False,),
    limit=Clients.limit,
    choices=None,
    error_type=error_type,
    http_spans=False,
    refuses_broken_json=False,
    # A stream that is dropped drops its connection.
    warnings=(
        "ignore:unclosed <socket:ResourceWarning",
        "ignore:.*unclosed <socket:pytest.PytestUnraisableExceptionWarning",
    ),
)
