"""Makes our table of prices out of genai-prices' data: ``python -m genai_otel.prices.compiled FILE DATE``.

DATE is that of the data, ``2026-11-10``.  Needs genai-prices, which nothing else here does: it takes a second and 60 MB
to be imported.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from importlib.metadata import metadata
from pathlib import Path
from typing import Any, Final

_MARKS: Final = {
    "ClauseEquals": "=",
    "ClauseStartsWith": "^",
    "ClauseEndsWith": "$",
    "ClauseContains": "~",
    "ClauseRegex": "/",
}
# What genai-prices does in code: Groq bills ten seconds of audio at least.
_LEAST: Final = {
    ("groq", model): {"audio_seconds": 10, "input_audio_seconds": 10}
    for model in ("whisper-large-v3", "whisper-large-v3-turbo")
}


def compiled(date: str) -> dict[str, Any]:
    """The table of the genai-prices that is installed; ``date`` is that of its data."""
    providers: list[Any] = import_module("genai_prices.data").providers
    units: dict[str, Any] = import_module("genai_prices.data_units").unit_data
    about = metadata("genai-prices")
    return {
        "source": {
            "name": "genai-prices",
            "version": about["Version"],
            "licence": about["License-Expression"] or about["License"] or "MIT",
            "date": date,
        },
        "units": {
            unit["price_key"]: [usage, unit["per"], unit["dimensions"]] for usage, unit in units.items()
        },
        "providers": [_provider(each) for each in providers],
    }


def _provider(provider: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"id": provider.id, "names": _clause(provider.provider_match)}
    if provider.fallback_model_providers:
        found["also"] = provider.fallback_model_providers
    found["models"] = [_model(provider.id, model) for model in provider.models]
    return found


def _model(provider: str, model: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"id": model.id}
    match = _clause(model.match)
    if match != f"={model.id.lower()}":
        found["match"] = match
    dated: Any = model.prices
    if hasattr(dated, "calc_price"):
        found["prices"] = _rates(dated)
    else:
        found["prices"] = [[_since(each.constraint), _rates(each.prices)] for each in dated]
    if model.price_variants:
        found["variants"] = [
            [each.when, _since(each.constraint), _rates(each.prices)] for each in model.price_variants
        ]
    if (provider, model.id) in _LEAST:
        found["least"] = _LEAST[provider, model.id]
    return found


def _clause(clause: Any) -> Any:
    if clause is None:
        return None
    kind = type(clause).__name__
    if kind == "ClauseOr":
        return [_clause(each) for each in clause.or_]
    if kind == "ClauseAnd":
        return {"all": [_clause(each) for each in clause.and_]}
    stored: dict[str, str] = clause.__dict__
    text = next(iter(stored.values()))
    return _MARKS[kind] + (text if kind == "ClauseRegex" else text.lower())


def _since(constraint: Any) -> Any:
    if constraint is None:
        return None
    if hasattr(constraint, "start_date"):
        return constraint.start_date.isoformat()
    return [
        each.replace(tzinfo=None).isoformat("minutes")
        for each in (constraint.start_time, constraint.end_time)
    ]


def _rates(prices: Any) -> dict[str, Any]:
    stored: dict[str, Any] = prices.__dict__
    return {name: _rate(value) for name, value in stored.items() if value is not None}


def _rate(value: Any) -> Any:
    if hasattr(value, "tiers"):
        return [_number(value.base), *([tier.start, _number(tier.price)] for tier in value.tiers)]
    return _number(value)


def _number(value: Any) -> float:
    return int(value) if value == int(value) else float(value)


def newest(table: dict[str, Any], today: str) -> str:
    """The date of the newest price that holds already: the data are of then or of later, which nothing else tells.

    Prices that are announced begin later, and say nothing of when the data were gathered.
    """
    models = [model for provider in table["providers"] for model in provider["models"]]
    dates = [entry[0] for model in models if isinstance(model["prices"], list) for entry in model["prices"]]
    dates += [since for model in models for _, since, _ in model.get("variants", ())]
    return max((date for date in dates if isinstance(date, str) and date <= today), default="")


def write(table: dict[str, Any], path: Path) -> None:
    """One model a line, so that an update can be read as a difference."""
    lines = [f'"source": {json.dumps(table["source"])},', '"units": {']
    lines += [
        ",\n".join(f"{json.dumps(name)}: {json.dumps(unit)}" for name, unit in table["units"].items()),
        "},",
    ]
    lines += ['"providers": [', ",\n".join(map(_lines, table["providers"])), "]"]
    path.write_text("{" + "\n".join(lines) + "}\n", encoding="utf-8")


def _lines(provider: dict[str, Any]) -> str:
    models = ",\n".join(json.dumps(model, separators=(",", ":")) for model in provider["models"])
    rest = {name: value for name, value in provider.items() if name != "models"}
    return json.dumps(rest)[:-1] + ', "models": [\n' + models + "]}"


if __name__ == "__main__":
    write(compiled(sys.argv[2]), Path(sys.argv[1]))
