"""Requests of Anthropic's messages: arguments → facts, by the tables that ``_openai_requests.request`` reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients._stainless import is_mapping
from genai_otel.spec import Facts


def _output_config(facts: Facts, value: Any) -> None:
    if is_mapping(value):
        if isinstance(value.get("effort"), str):
            facts[semconv.REQUEST_REASONING_LEVEL] = value["effort"]
        if value.get("format") is not None:
            _output_format(facts, value["format"])


def _output_format(facts: Facts, value: Any) -> None:
    if isinstance(value, (Mapping, type)):  # sentinels mark absent ones
        facts[semconv.OUTPUT_TYPE] = "json"


BODY: Final = {
    **{name: requests.CHAT[name] for name in ("temperature", "top_p", "max_tokens", "stream")},
    "top_k": semconv.REQUEST_TOP_K,
    "stop_sequences": requests.CHAT["stop"],
    "output_config": _output_config,
    "output_format": _output_format,
}
_body: Final = requests.request(BODY)


def _extra_body(facts: Facts, value: Any) -> None:
    """Newer clients have no parameter for how to sample; what is given here goes out all the same."""
    if is_mapping(value):
        facts.update(_body(value))


TABLE: Final = {**BODY, "extra_body": _extra_body}
