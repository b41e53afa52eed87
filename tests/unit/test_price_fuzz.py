"""Whatever a span or a file of prices says: a cost that adds up, a reason why there is none, or one clear error."""

from __future__ import annotations

import contextlib
import json
import math
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast, get_args

import pytest

from genai_otel import semconv
from genai_otel.clients import _anthropic_results as anthropic
from genai_otel.clients import _openai_results as openai
from genai_otel.clients._stainless import nothing
from genai_otel.prices import books
from genai_otel.prices.own import Own, PriceError, read
from genai_otel.prices.pricer import Priced, Pricer, Reason, Unpriced
from genai_otel.prices.usage import NAMES

NOON = 1_796_040_000_000_000_000  # 2026-11-30
MODELS = [
    ("openai", "gpt-4o"),
    ("openai", "gpt-realtime"),
    ("openai", "whisper-1"),
    ("anthropic", "claude-sonnet-4-5"),
    ("gcp.gemini", "gemini-2.5-pro"),
    ("groq", "whisper-large-v3"),
    ("x_ai", "grok-4"),
    ("perplexity", "sonar"),
    ("mistral_ai", "voxtral-mini-2602"),
    ("nobody", "nothing"),
    (7, None),
]
ODD: list[Any] = [
    *(None, 0, 1, 12, -1, 2**31, 2**63, 2**70, 10**400, 0.5, -0.0, 1e300, math.nan, math.inf, -math.inf),
    *("", "12", "many", b"12", True, False, [], [1], (), (3,), {}, {"tokens": 1}, object()),
]
USED = [name for name in NAMES if name.startswith(semconv.USAGE)]


def checked(found: object) -> None:
    """It is a cost that adds up, or a reason."""
    if isinstance(found, Priced):
        assert 0 <= found.amount < math.inf
        assert all(0 <= part < math.inf for part in found.parts.values())
        assert sum(found.parts.values()) == pytest.approx(found.amount, rel=1e-11, abs=0)
    else:
        assert found is None or (isinstance(found, Unpriced) and found.reason in get_args(Reason))


def calls(chance: random.Random, many: int) -> Iterator[dict[str, Any]]:
    for _ in range(many):
        provider, model = chance.choice(MODELS)
        said: dict[str, Any] = {
            "gen_ai.operation.name": chance.choice(
                ["chat", "embeddings", "fetch_batch", "count_tokens", None]
            ),
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
        }
        for name in chance.sample(USED, chance.randrange(6)):
            said[name] = chance.choice(ODD) if chance.random() < 0.5 else chance.randrange(10**6)
        for name in (semconv.ERROR_TYPE, semconv.COST_REPORTED, semconv.OPENAI_RESPONSE_SERVICE_TIER):
            if chance.random() < 0.1:
                said[name] = chance.choice(ODD)
        yield said


def test_any_usage_has_a_cost_that_adds_up_or_a_reason() -> None:
    chance, mine = random.Random(5), Pricer(books, says=False)
    kinds: set[type] = set()
    for said in calls(chance, 6_000):
        found = mine.price(said, NOON, chance.choice([0.0, 1.5]))
        checked(found)
        kinds.add(type(found))
    assert kinds == {Priced, Unpriced, type(None)}


@pytest.mark.parametrize(
    ("part", "has_a_rate"),
    [("cache_read.input", True), ("audio.input", True), ("audio.output", True), ("reasoning.output", False)],
)
def test_more_of_a_part_than_of_the_whole_is_no_cost(part: str, *, has_a_rate: bool) -> None:
    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-realtime",
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 5,
        f"gen_ai.usage.{part}_tokens": 6,
    }
    found = Pricer(books, says=False).price(said, NOON)
    # What has no rate of its own is paid for with the whole.
    assert isinstance(found, Priced) is not has_a_rate


# --- what vendors say -------------------------------------------------------------------------------------------------

FIELDS = (
    *("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens", "cost"),
    *("cost_in_usd_ticks", "is_byok", "cache_read_input_tokens", "cache_creation_input_tokens", "speed"),
)
DETAILS = {
    "prompt_tokens_details": ("cached_tokens", "audio_tokens"),
    "completion_tokens_details": ("reasoning_tokens", "audio_tokens"),
    "input_tokens_details": ("cached_tokens", "cache_write_tokens"),
    "output_tokens_details": ("reasoning_tokens", "thinking_tokens"),
    "server_tool_use": ("web_search_requests",),
    "cache_creation": ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"),
    "cost_details": ("upstream_inference_cost",),
}


def counted(chance: random.Random) -> dict[str, Any]:
    """A usage in which anything may be missing, and some of it be odd."""

    def number() -> Any:
        return chance.choice(ODD) if chance.random() < 0.15 else chance.randrange(10**5)

    told: dict[str, Any] = {name: number() for name in FIELDS if chance.random() < 0.4}
    for name, parts in DETAILS.items():
        if chance.random() < 0.3:
            told[name] = {part: number() for part in parts} if chance.random() < 0.8 else chance.choice(ODD)
    return told


def of_openai(told: dict[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    openai.usage_facts(facts, told)
    return facts


def of_anthropic(told: dict[str, Any]) -> dict[str, Any]:
    return anthropic.message(
        SimpleNamespace(id="1", model=None, stop_reason="end_turn", usage=told), own=nothing
    )


@pytest.mark.parametrize("reads", [of_openai, of_anthropic])
def test_odd_usage_of_vendors_is_never_a_false_cost(
    reads: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    chance, mine = random.Random(11), Pricer(books, says=False)
    priced = 0
    for _ in range(3_000):
        facts: dict[str, Any] = {}
        with contextlib.suppress(
            TypeError, ValueError, AttributeError, OverflowError
        ):  # as the engine's fence
            facts = reads(counted(chance))
        provider, model = chance.choice(MODELS)
        who = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
        }
        found = mine.price({**facts, **who}, NOON)
        checked(found)
        priced += isinstance(found, Priced)
    assert priced > 500


# --- files of prices --------------------------------------------------------------------------------------------------

GOOD: dict[str, Any] = {
    "alias": {"prod": "gpt-4o", "ft:*": {"provider": "openai", "model": "gpt-4o-mini"}},
    "openai": {
        "gpt-4o*": [
            {"input": 1, "output": 2, "tiers": [{"above": 1000, "input": 2}], "batch": {"input": 0.5}},
            {"valid_from": "2026-12-01", "input": 3},
        ],
    },
    "vllm": {"*": {"hour": 2.5}},
}


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to everything in it."""
    found: Any = value
    inside: dict[Any, Any] = {}
    if type(value) is dict:
        inside = found
    elif type(value) is list:
        inside = dict(enumerate(cast("list[Any]", found)))
    for key, each in inside.items():
        yield (*path, key)
        yield from paths(each, (*path, key))


def changed(path: tuple[Any, ...], value: Any) -> Any:
    """The good file with another value somewhere in it."""
    whole = json.loads(json.dumps(GOOD))
    at = whole
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return whole


def used(file: Path) -> Own | str:
    """What is in it, or what is wrong."""
    try:
        return read(file)
    except PriceError as error:
        return str(error)


ODD_JSON: list[Any] = [
    *(None, True, -1, 1e400, "", "1", "2026-13-01", [], [[]], [None], {}, {"x": 1}, {"input": None}),
    *({"input": {}}, {"tiers": {}}, {"": ""}, 0, 5, "gpt"),
]


@pytest.mark.parametrize("path", list(paths(GOOD)), ids=lambda path: ".".join(map(str, path)))
def test_a_file_with_anything_in_it_is_used_or_one_clear_error(path: tuple[Any, ...], tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    for value in ODD_JSON:
        file.write_text(json.dumps(changed(path, value)))
        own = used(file)
        if isinstance(own, str):
            assert own.startswith(str(file))
            assert "\n" not in own
            continue
        mine = Pricer(partial(books, own), own.models, says=False)
        for model in ("gpt-4o", "prod", "ft:x", "else"):
            for provider in ("openai", "vllm"):
                said = {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": provider,
                    "gen_ai.request.model": model,
                    "gen_ai.usage.input_tokens": 2_000,
                    "gen_ai.usage.output_tokens": 10,
                }
                checked(mine.price(said, NOON, 3.0))
