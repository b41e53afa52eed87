"""Prices of the user's own: what a file may say, what it costs then, and what is said of a bad one."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from genai_otel.cli import main
from genai_otel.config import Config, SettingError
from genai_otel.prices import books, bundled, current, refreshed
from genai_otel.prices.compiled import newest
from genai_otel.prices.own import Own, PriceError, read
from genai_otel.prices.pricer import Priced, Pricer, Unpriced

NOON = 1_796_040_000_000_000_000  # 2026-11-30
MILLION = 1_000_000


def pricer(given: Any) -> Pricer:
    own = read(given)
    return Pricer(partial(books, own), own.models)


def call(provider: str, model: str, **usage: Any) -> dict[str, Any]:
    used = {f"gen_ai.usage.{name}_tokens": count for name, count in usage.items()}
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        **used,
    }


def cost(
    given: Any, provider: str, model: str, *, at: int = NOON, seconds: float = 1, **usage: Any
) -> Priced:
    found = pricer(given).price(call(provider, model, **usage), at, seconds)
    assert isinstance(found, Priced)
    return found


# --- what it may say -------------------------------------------------------------------------------------------------


def test_own_rates_win_and_the_rest_stays() -> None:
    given = {"openai": {"gpt-4o*": {"input": 1, "output": 2}}}
    own = cost(given, "openai", "gpt-4o-2024-08-06", input=MILLION, output=MILLION)
    assert (own.amount, own.source, own.date) == (3, "custom", None)
    theirs = cost(given, "openai", "o3", input=MILLION, output=MILLION)
    assert (theirs.amount, theirs.source) == (10, "local")


@pytest.mark.parametrize("provider", ["gcp.gemini", "gcp.vertex_ai", "gcp.gen_ai"])
def test_a_provider_has_many_names(provider: str) -> None:
    assert cost({"google": {"m": {"input": 1}}}, provider, "m", input=MILLION).amount == 1


def test_the_most_special_pattern_counts() -> None:
    given = {"p": {"*": {"input": 1}, "m-*": {"input": 2}, "m-1": {"input": 3}}, "*": {"far": {"input": 4}}}
    found = {model: cost(given, "p", model, input=MILLION).amount for model in ("x", "m-2", "M-1")}
    assert found == {"x": 1, "m-2": 2, "M-1": 3}
    assert cost(given, "anybody", "far", input=MILLION).amount == 4


def test_tiers_ways_and_dates() -> None:
    entry = {"input": 1, "output": 2, "tiers": [{"above": 1000, "input": 10}], "batch": {"input": 0.5}}
    given = {"p": {"m": [entry, {**entry, "input": 3, "tiers": [], "valid_from": "2026-12-01"}]}}
    assert cost(given, "p", "m", input=1000).amount == pytest.approx(0.001)
    assert cost(given, "p", "m", input=1001).amount == pytest.approx(0.01001)
    assert cost(given, "p", "m", input=1001, at=NOON + 86_400_000_000_000).amount == pytest.approx(0.003003)
    batch = {**call("p", "m", input=1000), "gen_ai.operation.name": "fetch_batch"}
    found = pricer(given).price(batch, NOON)
    assert isinstance(found, Priced)
    assert found.amount == pytest.approx(0.0005)


def test_before_its_first_date_an_own_price_is_none() -> None:
    given = {"openai": {"o3": {"input": 1, "output": 1, "valid_from": "2027-01-01"}}}
    assert cost(given, "openai", "o3", input=MILLION, output=MILLION).source == "local"


def test_a_machine_of_ones_own_costs_its_time_and_a_call_its_fee() -> None:
    given = {"vllm": {"*": {"hour": 3.6, "request": 0.01}}}
    found = cost(given, "vllm", "llama", seconds=10)  # nobody tells its usage
    assert found.amount == pytest.approx(0.02)
    assert found.parts.keys() == {"other"}
    assert cost(given, "vllm", "llama", seconds=10, input=5, output=7) == found
    assert cost({"vllm": {"*": {"input": 0, "output": 0}}}, "vllm", "llama", input=5, output=5).amount == 0


def test_aliases() -> None:
    given = {"alias": {
        "prod-chat": "gpt-4o-mini",
        "ft:acme:*": {"provider": "openai", "model": "gpt-4o-mini"},
    }}  # fmt: skip
    plain = cost(given, "openai", "gpt-4o-mini", input=MILLION).amount
    assert cost(given, "azure.ai.openai", "prod-chat", input=MILLION).amount == plain
    assert cost(given, "somebody", "FT:acme:7", input=MILLION).amount == plain
    assert isinstance(pricer(given).price(call("openai", "other", input=1), NOON), Unpriced)


LITELLM = {
    "sample_spec": {"input_cost_per_token": "what it means", "litellm_provider": "one of"},
    "azure/my-gpt": {
        "litellm_provider": "azure",
        "input_cost_per_token": 2e-6,
        "output_cost_per_token": 4e-6,
        "input_cost_per_token_above_200k_tokens": 3e-6,
        "input_cost_per_token_batches": 1e-6,
        "cache_read_input_token_cost": 1e-6,
        "max_tokens": 4096,
        "supports_vision": True,
    },
    "no-price": {"litellm_provider": "azure", "mode": "chat"},
    "searching": {
        "litellm_provider": "azure",
        "input_cost_per_token": 1e-6,
        "file_search_cost_per_1k_calls": 2.5,
        "search_context_cost_per_query": {
            f"search_context_size_{size}": 0.01 for size in ("low", "medium", "high")
        },
    },
    "by-size": {
        "litellm_provider": "azure",
        "input_cost_per_token": 1e-6,
        "search_context_cost_per_query": {"search_context_size_low": 0.01, "search_context_size_high": 0.02},
    },
}


def test_litellms_list() -> None:
    def of(**usage: Any) -> float:
        return cost(LITELLM, "azure.ai.openai", "my-gpt", **usage).amount

    assert of(input=100_000, output=1000) == pytest.approx(0.204)
    assert of(input=300_000) == pytest.approx(0.9)
    unknown = pricer(LITELLM).price(call("azure.ai.openai", "no-price", input=1), NOON)
    assert isinstance(unknown, Unpriced)


def test_litellms_list_has_prices_of_searches_where_each_costs_the_same() -> None:
    searched = {"genai_otel.usage.web_searches": 3, "genai_otel.usage.file_searches": 2}
    mine = pricer(LITELLM)
    found = mine.price({**call("azure.ai.openai", "searching", input=MILLION), **searched}, NOON)
    assert isinstance(found, Priced)
    assert found.amount == pytest.approx(1 + 3 * 0.01 + 2 * 0.0025)
    by_size = {**call("azure.ai.openai", "by-size", input=MILLION), "genai_otel.usage.web_searches": 1}
    assert mine.price(by_size, NOON) == Unpriced("unsupported_usage")


# --- files -----------------------------------------------------------------------------------------------------------

TOML = """
[alias]
prod = "gpt-4o"

[openai."gpt-4o*"]
input = 2.5
output = 10
valid_from = 2026-01-01

[[anthropic."claude-x"]]
input = 1
tiers = [{ above = 200_000, input = 2 }]
"""


@pytest.mark.skipif(sys.version_info < (3, 11), reason="reads no TOML by itself")
def test_toml(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(TOML)
    found = cost(path, "openai", "gpt-4o-x", input=MILLION)
    assert found.amount == 2.5
    assert found.date is not None  # when the file was written
    assert cost(path, "anthropic", "claude-x", input=MILLION).amount == 2


def test_without_a_reader_of_toml_it_is_said_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(TOML)
    for name in ("tomllib", "tomli"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(PriceError, match="or with the package tomli"):
        read(path)


BAD: list[tuple[str, str]] = [
    ('{\n  "openai": {\n    "gpt": {"input": }}}', "line 3: no JSON"),
    ("[]", "no object with providers"),
    ('{\n  "openai": {\n    "gpt": {"input": "cheap"}}}', "line 3: openai.gpt.input is 'cheap'; it must be a num"),
    ('{"openai": {"gpt": {"input": -1}}}', "line 1: openai.gpt.input is -1"),
    ('{"openai": {"gpt": {"input": true}}}', "openai.gpt.input is True"),
    ('{"openai":\n {"gpt":\n {"inptu": 1}}}', "line 3: openai.gpt.inptu is no field; there are input, cache_read"),
    ('{"openai": {"gpt": {}}}', "openai.gpt has no price"),
    ('{"openai": {"gpt": 5}}', "openai.gpt is 5; it must be an object"),
    ('{"openai": 5}', "openai is 5"),
    ('{"openai": {"gpt": {"input": 1, "valid_from": "soon"}}}', "valid_from is 'soon'; it must be a date"),
    ('{"openai": {"gpt": {"input": 1, "tiers": {"above": 1}}}}', "openai.gpt.tiers must be a list"),
    ('{"openai": {"gpt": {"input": 1, "tiers": [{"input": 1}]}}}', "openai.gpt.tiers has no above"),
    ('{"openai": {"gpt": {"input": 1, "tiers": [{"above": 1, "output": 1}]}}}', "output has no rate below"),
    ('{"alias": {"a": {"modle": "b"}}}', "alias.a.modle is no field"),
    ('{"alias": {"a": {"provider": "b"}}}', "alias.a has no model"),
    ('{"alias": {"a": 5}}', "alias.a is 5"),
    ('{"m": {"litellm_provider": "p",\n "input_cost_per_token": "1"}}', "line 2: m.input_cost_per_token is '1'"),
    ('{"units": {}, "providers": [{}]}', "line 1: providers are no table of prices"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), BAD)
def test_a_bad_file_is_one_error_with_line_and_field(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "prices.json"
    path.write_text(text)
    with pytest.raises(PriceError) as caught:
        read(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bad_argument_is_an_error_and_a_bad_variable_a_problem(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.json")
    with pytest.raises(SettingError, match=r"setup\(prices=…\): .* cannot be read: No such file"):
        Config.load({"prices": missing}, {})
    with pytest.raises(SettingError, match=r"setup\(prices=…\) is 5; allowed are"):
        Config.load({"prices": 5}, {})
    lenient = Config.load({}, {"GENAI_OTEL_PRICES": missing}, lenient=True)
    assert lenient.prices is None
    assert "GENAI_OTEL_PRICES: " in lenient.problems[0]
    loaded = Config.load({"prices": {"p": {"m": {"input": 1}}}}, {})
    assert isinstance(loaded.prices, Own)


# --- pricing ---------------------------------------------------------------------------------------------------------


def test_other_names_of_a_cost_where_they_are_asked_for() -> None:
    mine = Pricer(books, compatible=("gen_ai.usage.cost", "operation.cost"))
    told = mine.told(mine.price(call("openai", "o3", input=MILLION, output=0), NOON))
    assert told["gen_ai.usage.cost.amount"] == told["operation.cost"] == told["genai_otel.cost.amount"] == 2
    assert told["gen_ai.usage.cost.currency"] == "USD"
    assert told["gen_ai.usage.cost.source"] == "local"
    usual = Pricer(books)
    said = usual.told(usual.price(call("openai", "o3", input=1), NOON))
    assert said.keys() == {
        f"genai_otel.cost.{name}" for name in ("amount", "currency", "source", "price_date")
    }


REASONS: list[tuple[Mapping[str, Any], str | None]] = [
    (call("openai", "nobody-knows", input=1), "unknown_model"),
    (call("nobody", "gpt-4o", input=1), "unknown_provider"),
    (call("openai", "gpt-4o"), "no_usage"),
    (call("openai", "whisper-1", input=14, output=45), "unsupported_usage"),
    (call("openai", "gpt-4o", input=5, **{"cache_read.input": 6}), "unsupported_usage"),
    (call("openai", "gpt-4o", input=float("nan")), "unsupported_usage"),
    ({**call("openai", "gpt-4o"), "error.type": "RateLimitError"}, None),
    ({**call("openai", "gpt-4o"), "gen_ai.operation.name": "count_tokens"}, None),
    ({**call("openai", "gpt-4o", input="12")}, "no_usage"),
]  # fmt: skip


@pytest.mark.parametrize(("attributes", "reason"), REASONS)
def test_what_is_not_known_has_its_reason(attributes: Mapping[str, Any], reason: str | None) -> None:
    found = Pricer(books).price(attributes, NOON)
    assert found == (None if reason is None else Unpriced(reason))  # type: ignore[arg-type] # one of them


def test_usage_of_nothing_costs_nothing() -> None:
    found = Pricer(books).price(call("openai", "gpt-4o", input=0, output=0), NOON)
    assert isinstance(found, Priced)
    assert found.amount == 0


def test_of_many_requests_together_nobody_knows_the_tier() -> None:
    def batch(tokens: int) -> Any:
        said = call("gcp.gemini", "gemini-2.5-pro", input=tokens, output=1)
        return Pricer(books).price({**said, "gen_ai.operation.name": "fetch_batch"}, NOON)

    assert isinstance(batch(200_000), Priced)
    assert batch(200_001) == Unpriced("unsupported_usage")


def test_models_that_users_make_up_are_not_kept_for_ever() -> None:
    own = Pricer(books)
    for number in range(3000):
        own.price(call("openai", f"made-up-{number}", input=1), NOON)
    kept: dict[object, object] = vars(own)["_entries"]
    assert len(kept) <= 1024


def test_the_parts_add_up() -> None:

    chance = random.Random(7)
    own = Pricer(books)
    models = [
        ("openai", "gpt-4o"), ("anthropic", "claude-sonnet-4-5"), ("gcp.gemini", "gemini-2.5-pro"),
        ("openai", "gpt-realtime"), ("deepseek", "deepseek-chat"), ("x_ai", "grok-4"),
    ]  # fmt: skip
    priced = 0
    for _ in range(3000):
        provider, model = chance.choice(models)
        tokens = chance.randrange(1, 400_000)
        used = {"input": tokens, "output": chance.randrange(100_000)}
        for name in ("cache_read.input", "cache_write.input", "audio.input", "reasoning.output"):
            if chance.random() < 0.3:
                used[name] = chance.randrange(used[name.rpartition(".")[2]] // 4 + 1)
        found = own.price(call(provider, model, **used), NOON)
        if isinstance(found, Priced):
            priced += 1
            assert sum(found.parts.values()) == pytest.approx(found.amount, rel=1e-11, abs=0)
            assert all(part >= 0 for part in found.parts.values())
            assert found.amount == float(f"{found.amount:.12g}")
    assert priced > 2000


def test_a_file_is_read_as_json(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"p": {"m": {"input": 1}}}))
    assert cost(str(path), "p", "m", input=MILLION).amount == 1


# --- the command -----------------------------------------------------------------------------------------------------


def test_a_file_is_checked_and_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "prices.json"
    path.write_text(
        json.dumps({"gcp.gemini": {"a": {"input": 1}, "b": {"input": 1}}, "alias": {"x": "gpt-4o"}})
    )
    assert main(["prices", "check", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "gcp.gemini: 2 models, for calls of gcp.gemini, google" in printed
    assert "x: means gpt-4o of the same provider" in printed
    path.write_text('{"openai": {"gpt": {"inptu": 1}}}')
    assert main(["prices", "check", str(path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_own_prices_are_shown_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"openai": {"gpt-4o": {"input": 7}}, "alias": {"prod": "gpt-4o"}}))
    monkeypatch.setenv("GENAI_OTEL_PRICES", str(path))
    assert main(["prices", "show", "prod", "--provider", "openai"]) == 0
    printed = capsys.readouterr().out
    assert printed.index("gpt-4o of openai, USD\n  input                             7") == 0
    assert "input_mtok" in printed


def test_a_newer_table_of_the_user_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    table: dict[str, Any] = {
        "source": {"name": "genai-prices", "version": "999.0", "licence": "MIT", "date": "2030-01-01"},
        "units": {"input_mtok": ["input_tokens", MILLION, {"family": "tokens", "direction": "input"}]},
        "providers": [{"id": "p", "names": None, "models": [{"id": "m", "prices": {"input_mtok": 9}}]}],
    }
    refreshed().parent.mkdir(parents=True)
    for version, amount in (("999.0", 9), ("0.0.1", None)):
        table["source"]["version"] = version
        refreshed().write_text(json.dumps(table))
        current.cache_clear()
        found = Pricer(books).price(call("p", "m", input=MILLION), NOON)
        assert getattr(found, "amount", None) == amount
    refreshed().write_text("{")
    current.cache_clear()
    assert current() is bundled()
    current.cache_clear()


@pytest.mark.prices
def test_update_makes_the_table_of_what_is_installed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert main(["prices", "update"]) == 0
    assert "models of 47 providers" in capsys.readouterr().out
    own = read(refreshed()).whole
    assert own is not None
    assert [each["id"] for each in own["providers"]] == list(bundled().sellers)
    today = datetime.now(timezone.utc).date().isoformat()
    assert (
        "2026-11-01" <= own["source"]["date"] <= own["source"]["taken"] == today
    )  # announced prices are later
    assert main(["prices", "update", "--date", "2026-11-10"]) == 0
    capsys.readouterr()
    assert main(["prices", "check", str(refreshed())]) == 0
    assert f"0.2.3 (MIT), prices of 2026-11-10, taken on {today}" in capsys.readouterr().out


def test_a_date_that_is_none_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["prices", "update", "--date", "yesterday"])
    assert "--date" in capsys.readouterr().err
    path = tmp_path / "table.json"
    path.write_text('{"source": {\n"date": "yesterday"}, "units": {}, "providers": []}')
    assert main(["prices", "check", str(path)]) == 1
    assert "line 2: source.date is 'yesterday'" in capsys.readouterr().err


def test_a_table_is_of_its_newest_price_that_holds_already() -> None:
    rates = {"input_mtok": 1}
    dated = {"id": "m", "prices": [[None, rates], ["2026-03-01", rates], ["2027-01-01", rates]]}
    of_day = {"id": "n", "prices": [[["22:00", "06:00"], rates]], "variants": [[{}, "2026-05-01", rates]]}
    table = {"providers": [{"models": [dated, of_day, {"id": "o", "prices": rates}]}]}
    assert newest(table, "2026-11-30") == "2026-05-01"
    assert newest(table, "2026-04-30") == "2026-03-01"
    assert newest({"providers": []}, "2026-11-30") == ""


def test_update_without_the_package_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    assert main(["prices", "update"]) == 1
    assert "pip install 'genai-otel[prices]'" in capsys.readouterr().err
