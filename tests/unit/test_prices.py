"""Prices: which model a name means, which rates hold, what a call costs."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import pytest

from genai_otel.cli import main
from genai_otel.prices import bundled
from genai_otel.prices.clauses import holds
from genai_otel.prices.compiled import compiled
from genai_otel.prices.rates import UnsupportedUsage
from genai_otel.prices.table import Context, Model, Table

NOW = datetime(2026, 11, 30, 12, tzinfo=timezone.utc)
UNITS = {
    "input_mtok": ["input_tokens", 1_000_000, {"family": "tokens", "direction": "input"}],
    "cache_read_mtok": [
        "cache_read_tokens",
        1_000_000,
        {"family": "tokens", "direction": "input", "token_type": "cache_read"},
    ],
    "output_mtok": ["output_tokens", 1_000_000, {"family": "tokens", "direction": "output"}],
    "requests_kcount": ["requests", 1000, {"family": "requests"}],
}


def table(*models: dict[str, Any]) -> Table:
    return Table({"units": UNITS, "providers": [{"id": "p", "names": None, "models": models}]})


def cost(
    provider: str, name: str, usage: Mapping[str, float], context: Context = (), at: datetime = NOW
) -> dict[str, float]:
    return find(provider, name).rates(at, context).cost(usage)


def find(provider: str, name: str) -> Model:
    known = bundled().provider(provider)
    assert known is not None
    found = bundled().find(known, name)
    assert found is not None
    return found


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clause", "name", "expected"),
    [
        ("=gpt-4o", "gpt-4o", True),
        ("=gpt-4o", "gpt-4o-mini", False),
        ("^gpt", "gpt-4o", True),
        ("$mini", "gpt-4o-mini", True),
        ("~4o", "gpt-4o-mini", True),
        (r"/^gpt-\d$", "gpt-4", True),
        (["=a", "=b"], "b", True),
        ({"all": ["^a", "$c"]}, "abc", True),
        ({"all": ["^a", "$b"]}, "abc", False),
        (None, "a", False),
    ],
)
def test_clauses(clause: Any, name: str, *, expected: bool) -> None:
    assert holds(clause, name) is expected


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("openai", "openai"),
        ("anthropic", "anthropic"),
        ("gcp.gemini", "google"),
        ("gcp.vertex_ai", "google"),
        ("gcp.gen_ai", "google"),
        ("aws.bedrock", "aws"),
        ("azure.ai.openai", "azure"),
        ("azure.ai.inference", "azure"),
        ("mistral_ai", "mistral"),
        ("x_ai", "x-ai"),
        ("deepseek", "deepseek"),
        ("cohere", "cohere"),
        ("groq", "groq"),
        ("perplexity", "perplexity"),
        ("of the future", None),
    ],
)
def test_providers_by_the_conventions_names(name: str, provider: str | None) -> None:
    assert bundled().provider(name) == provider


def test_a_model_is_found_by_its_dated_names_and_at_who_sells_it_too() -> None:
    assert find("openai", "gpt-4o-2024-08-06").id == find("openai", "gpt-4o-20240806").id == "gpt-4o"
    assert find("azure.ai.openai", "gpt-4o").provider == "openai"
    assert find("gcp.vertex_ai", "claude-sonnet-4-5@20250929").id.startswith("claude-sonnet-4-5")
    assert bundled().find("openai", "nobody-knows") is None


def test_names_that_users_make_up_are_not_kept_for_ever() -> None:
    own = table({"id": "m", "prices": {"input_mtok": 1}})
    for number in range(5000):
        assert own.find("p", f"made-up-{number}") is None
    kept: dict[object, object] = vars(own)["_found"]
    assert len(kept) <= 1024


# --- rates -----------------------------------------------------------------------------------------------------------


def test_what_a_call_cost_that_its_vendor_billed() -> None:
    # 3 tokens of input, 12,304 written to the cache, 550 of output: $0.05439 on the bill (BerriAI/litellm#9812).
    parts = cost(
        "anthropic",
        "claude-3-7-sonnet-20250219",
        {"input_tokens": 12_307, "cache_write_tokens": 12_304, "output_tokens": 550},
    )
    assert sum(parts.values()) == pytest.approx(0.054399, abs=1e-9)
    assert parts.keys() == {"input", "cache_write", "output"}


def test_a_tier_holds_for_all_tokens() -> None:
    below = cost("gcp.gemini", "gemini-2.5-pro", {"input_tokens": 200_000, "output_tokens": 50})
    above = cost("gcp.gemini", "gemini-2.5-pro", {"input_tokens": 200_001, "output_tokens": 50})
    assert sum(below.values()) == pytest.approx(0.2505)
    assert sum(above.values()) == pytest.approx(0.5007525)


def test_dates_tiers_of_service_and_batches_have_rates_of_their_own() -> None:
    usage = {"input_tokens": 1_000_000, "output_tokens": 1_000_000}
    usual = cost("openai", "o3", usage)
    assert sum(usual.values()) == pytest.approx(10)
    assert sum(cost("openai", "o3", usage, (("service_tier", "flex"),)).values()) == pytest.approx(5)
    assert sum(cost("openai", "o3", usage, (("processing", "batch"),)).values()) == pytest.approx(5)
    before = datetime(2025, 5, 1, tzinfo=timezone.utc)
    assert sum(cost("openai", "o3", usage, at=before).values()) == pytest.approx(50)


def test_a_rate_of_nothing_is_a_cost_of_nothing_and_no_rate_is_no_cost() -> None:
    own = table(
        {"id": "free", "prices": {"input_mtok": 0, "output_mtok": 0}},
        {"id": "half", "prices": {"input_mtok": 1}},
    )
    free, half = own.find("p", "free"), own.find("p", "half")
    assert free is not None
    assert half is not None
    assert free.rates(NOW).cost({"input_tokens": 5, "output_tokens": 5}) == {"input": 0, "output": 0}
    with pytest.raises(UnsupportedUsage, match="output_tokens"):
        half.rates(NOW).cost({"input_tokens": 5, "output_tokens": 5})
    assert half.rates(NOW).cost({"input_tokens": 5, "output_tokens": 0}) == {"input": 5e-6}


def test_more_cached_than_there_was_is_no_cost() -> None:
    own = table({"id": "m", "prices": {"input_mtok": 1, "cache_read_mtok": 0.1}}).find("p", "m")
    assert own is not None
    with pytest.raises(UnsupportedUsage, match="input_tokens"):
        own.rates(NOW).cost({"input_tokens": 5, "cache_read_tokens": 6})


def test_a_fee_per_request_is_paid_once_a_call() -> None:
    own = table({"id": "m", "prices": {"input_mtok": 1, "requests_kcount": 5}}).find("p", "m")
    assert own is not None
    assert own.rates(NOW).cost({"input_tokens": 10}) == {"input": 1e-5, "other": 0.005}


def test_hours_of_the_day_go_over_midnight() -> None:
    own = table({"id": "m", "prices": [[None, {"input_mtok": 4}], [["22:00", "06:30"], {"input_mtok": 1}]]})
    model = own.find("p", "m")
    assert model is not None

    def at(hour: int) -> float:
        return model.rates(NOW.replace(hour=hour)).cost({"input_tokens": 1_000_000})["input"]

    assert [at(hour) for hour in (5, 6, 12, 21, 22, 23)] == [1, 1, 4, 4, 1, 1]


# --- the yardstick ---------------------------------------------------------------------------------------------------

CONTEXTS: tuple[Context, ...] = (
    (),
    (("service_tier", "flex"),),
    (("service_tier", "priority"),),
    (("processing", "batch"),),
    (("speed", "fast"),),
    (("processing", "batch"), ("service_tier", "default")),
)
TIMES = (datetime(2024, 1, 1, 12, tzinfo=timezone.utc), datetime(2025, 5, 5, 2, tzinfo=timezone.utc), NOW)
USAGES: tuple[dict[str, float], ...] = (
    {"input_tokens": 1000, "output_tokens": 500},
    {"input_tokens": 300_000, "output_tokens": 5000, "cache_read_tokens": 1000, "cache_write_tokens": 500},
    {
        "input_tokens": 12_307,
        "cache_write_tokens": 12_304,
        "cache_write_1h_tokens": 304,
        "output_tokens": 550,
        "output_reasoning_tokens": 100,
    },
    {
        "input_tokens": 5000,
        "input_audio_tokens": 1200,
        "cache_read_tokens": 100,
        "cache_audio_read_tokens": 50,
        "output_tokens": 800,
        "output_audio_tokens": 300,
        "web_searches": 3,
    },
    {"input_tokens": 7000, "input_image_tokens": 800, "output_tokens": 10},
    {"audio_seconds": 7, "input_audio_seconds": 7},
)


@pytest.mark.prices
def test_every_model_costs_what_genai_prices_says() -> None:
    genai_prices: Any = importlib.import_module("genai_prices")
    data: Any = importlib.import_module("genai_prices.data")
    own = {(model.provider, model.id): model for model in bundled().models}
    compared = 0
    for provider in data.providers:
        for model in provider.models:
            mine = own.pop((provider.id, model.id))
            for at in TIMES:
                for context in CONTEXTS:
                    for usage in USAGES:
                        theirs = model.calc_price(
                            genai_prices.Usage(**usage),
                            provider,
                            genai_request_timestamp=at,
                            price_context=dict(context) or None,
                        )
                        try:
                            found = mine.rates(at, context).cost(usage)
                        except UnsupportedUsage:  # where theirs leaves the part out that has no price
                            continue
                        compared += 1
                        assert sum(found.values()) == pytest.approx(
                            float(theirs.total_price), rel=1e-9, abs=1e-9
                        )
    assert not own
    assert compared > 100_000


@pytest.mark.prices
def test_the_table_is_that_of_the_genai_prices_that_the_lock_names() -> None:
    source = bundled().source
    made = compiled(source["date"])
    assert made["source"] == source
    assert [each["id"] for each in made["providers"]] == list(bundled().sellers)


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_rates_of_a_model_can_be_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prices", "show", "gemini-2.5-pro", "--provider", "gcp.gemini"]) == 0
    printed = capsys.readouterr().out
    assert "gemini-2.5-pro of google, USD" in printed
    assert "above 200,000 input tokens" in printed
    assert "with processing batch" in printed
    assert "genai-prices" in printed


def test_what_the_table_does_not_know_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prices", "show", "nobody-knows"]) == 1
    assert "no model is called 'nobody-knows'" in capsys.readouterr().err
    assert main(["prices", "show", "gpt-4o", "--provider", "nobody"]) == 1
    assert "no provider is called 'nobody'; known are" in capsys.readouterr().err
