"""Aiobotocore's clients of Bedrock, and of the agents that it runs."""

# The types are checked where the other clients are; this one cannot be installed beside them.
# pyright: reportMissingImports=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from tests.contract.payload import Payload
from tests.contract.payloads._bedrock import CASES, HOST, MODEL, error_type, keys


@cache
def _session() -> Any:
    session: Any = get_session()
    return session


def _now(pending: Any) -> Any:
    """The result of a coroutine that has nothing to wait for."""
    try:
        pending.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits for something")


class Clients:
    """The clients of both services, made when they are needed: that takes longer than a call."""

    def __init__(self, base_url: str, config: Mapping[str, Any]) -> None:
        self._arguments: dict[str, Any] = {"endpoint_url": base_url, "config": AioConfig(**config), **keys()}
        self._made: dict[str, Any] = {}

    def _client(self, service: str) -> Any:
        if service not in self._made:
            context = _session().create_client(service, **self._arguments)
            self._made[service] = _now(context.__aenter__())
        return self._made[service]

    @property
    def models(self) -> Any:
        return self._client("bedrock-runtime")

    @property
    def agents(self) -> Any:
        return self._client("bedrock-agent-runtime")

    def limit(self, seconds: float) -> None:
        """Of clients that are still to be made."""
        self._arguments["config"] = self._arguments["config"].merge(AioConfig(read_timeout=seconds))

    async def close(self) -> None:
        for client in self._made.values():
            await client.close()


def _make(base_url: str, asynchronous: bool, *, max_retries: int = 0, **config: Any) -> Clients:
    assert asynchronous
    retries = {"total_max_attempts": max_retries + 1, "mode": "standard"}
    return Clients(base_url, {"retries": retries, **config})


PAYLOAD = Payload(
    client="aiobotocore",
    provider="aws.bedrock",
    make=_make,
    model=MODEL,
    cases=CASES,
    host=HOST,
    forms=(True,),
    choices=None,
    limit=Clients.limit,
    error_type=error_type,
    http_spans=False,
    refuses_broken_json=False,
)
