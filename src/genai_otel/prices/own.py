"""Prices of the user's own: what stands in a file or a mapping becomes a table, checked field by field.

``[provider]["model or pattern"]`` has US dollars: tokens per million, the rest for one.  ``"*"`` is any provider, and
in a model's name any text.  ``alias`` says which model stands behind a name of the user's own.
"""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias, cast

from genai_otel.prices import litellm
from genai_otel.prices.source import PriceError, Source, day, opened
from genai_otel.setting_values import shown

Given: TypeAlias = "str | Path | Mapping[str, Any]"

_TOKENS: Final = 1_000_000


def _of(direction: str, kind: str | None = None, modality: str | None = None, ttl: str | None = None) -> Any:
    found = {
        "family": "tokens",
        "direction": direction,
        "token_type": kind,
        "modality": modality,
        "cache_ttl": ttl,
    }
    return {name: value for name, value in found.items() if value is not None}


UNITS: Final[Mapping[str, Sequence[Any]]] = {
    "input": ("input_tokens", _TOKENS, _of("input")),
    "cache_read": ("cache_read_tokens", _TOKENS, _of("input", "cache_read")),
    "cache_write": ("cache_write_tokens", _TOKENS, _of("input", "cache_write")),
    "cache_write_5m": ("cache_write_5m_tokens", _TOKENS, _of("input", "cache_write", ttl="5m")),
    "cache_write_1h": ("cache_write_1h_tokens", _TOKENS, _of("input", "cache_write", ttl="1h")),
    "output": ("output_tokens", _TOKENS, _of("output")),
    "reasoning": ("output_reasoning_tokens", _TOKENS, _of("output", "reasoning")),
    "text_input": ("input_text_tokens", _TOKENS, _of("input", modality="text")),
    "text_output": ("output_text_tokens", _TOKENS, _of("output", modality="text")),
    "text_cache_read": ("cache_text_read_tokens", _TOKENS, _of("input", "cache_read", "text")),
    "audio_input": ("input_audio_tokens", _TOKENS, _of("input", modality="audio")),
    "audio_output": ("output_audio_tokens", _TOKENS, _of("output", modality="audio")),
    "audio_cache_read": ("cache_audio_read_tokens", _TOKENS, _of("input", "cache_read", "audio")),
    "image_input": ("input_image_tokens", _TOKENS, _of("input", modality="image")),
    "image_output": ("output_image_tokens", _TOKENS, _of("output", modality="image")),
    "image_cache_read": ("cache_image_read_tokens", _TOKENS, _of("input", "cache_read", "image")),
    "audio_second": ("audio_seconds", 1, {"family": "durations", "modality": "audio"}),
    "input_audio_second": (
        "input_audio_seconds",
        1,
        {"family": "durations", "modality": "audio", "direction": "input"},
    ),
    "web_search": ("web_searches", 1, {"family": "tool_calls", "tool_type": "web_search"}),
    "file_search": ("storage_searches", 1, {"family": "tool_calls", "tool_type": "storage_search"}),
    "request": ("requests", 1, {"family": "requests"}),
    "second": ("call_seconds", 1, {"family": "calls"}),
    "hour": ("call_seconds", 3600, {"family": "calls"}),
}
"""Field → usage, how many of it the rate is for, what tells it from others.  ``second`` and ``hour`` are the time that
a call took: what a machine of one's own costs."""

_WAYS: Final = {
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
}
_RATES: Final = tuple(UNITS)
_FIELDS: Final = (*_RATES, "tiers", "valid_from", *_WAYS)


class Alias(NamedTuple):
    """The model behind a name, and whose it is where that is not the provider of the call."""

    pattern: str
    model: str
    provider: str | None


class Own(NamedTuple):
    """The user's own prices: ``providers`` as a table has them, or a ``whole`` table in place of the bundled one."""

    providers: Mapping[str, Sequence[Mapping[str, Any]]]
    aliases: tuple[Alias, ...]
    date: str | None
    whole: Mapping[str, Any] | None = None

    def models(self, provider: Any, names: Sequence[Any]) -> Iterator[tuple[Any, str]]:
        """Provider and model behind each of ``names`` that is an alias."""
        for name in names:
            for alias in self.aliases if isinstance(name, str) else ():
                if fnmatch.fnmatchcase(name.lower(), alias.pattern):
                    yield alias.provider or provider, alias.model


NOTHING: Final = Own({}, (), None)


def read(value: Given) -> Own:
    """The prices in a file or a mapping: our own form, litellm's, or a whole table (``genai-otel prices update``).

    Raises:
        PriceError: what is wrong, with file, line and field.
    """
    source = opened(value)
    content = source.content
    if isinstance(content.get("providers"), list) and "units" in content:
        return Own({}, (), None, _whole(source))
    if litellm.is_meant(content):
        return Own(litellm.providers(source, UNITS), (), source.date)
    providers = {
        name.lower(): _models(source, name, models) for name, models in content.items() if name != "alias"
    }
    aliases = tuple(_aliases(source, content.get("alias", {})))
    return Own(providers, aliases, source.date)


def _whole(source: Source) -> Mapping[str, Any]:
    from genai_otel.prices.table import Table

    try:
        date = dict(source.content["source"]).get("date")
        if date and day(date) is None:
            raise source.wrong(("source", "date"), f"is {shown(date)}; it must be a date, 2026-11-30")
        for model in Table(source.content).models:
            _ = model.is_priced, model.contexts
    except PriceError:
        raise
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise source.wrong(
            ("providers",), f"are no table of prices: {type(error).__name__}: {error}"
        ) from None
    return source.content


def _aliases(source: Source, given: Any) -> Iterator[Alias]:
    for name, meant in _mapping(source, ("alias",), given).items():
        path = ("alias", name)
        fields = {"model": meant} if isinstance(meant, str) else _mapping(source, path, meant)
        for field, value in fields.items():
            if field not in ("model", "provider"):
                raise source.wrong((*path, field), "is no field; an alias has model and provider")
            if not isinstance(value, str) or not value:
                raise source.wrong((*path, field), f"is {shown(value)}; it must be a name")
        if "model" not in fields:
            raise source.wrong(path, "has no model")
        yield Alias(name.lower(), fields["model"], fields.get("provider"))


def _models(source: Source, provider: str, given: Any) -> list[dict[str, Any]]:
    found = [
        _model(source, (provider, pattern), prices)
        for pattern, prices in _mapping(source, (provider,), given).items()
    ]
    return sorted(
        found, key=lambda model: ("*" in model["id"], -len(model["id"]))
    )  # the most special one counts


def _model(source: Source, path: tuple[str, str], given: Any) -> dict[str, Any]:
    listed = cast("list[Any]", given if isinstance(given, list) else [given])
    every = [_entry(source, path, each) for each in listed]
    if not every:
        raise source.wrong(path, f"has no price; give at least one of {', '.join(_RATES)}")
    every.sort(key=lambda entry: entry[0] or "")
    dated: list[Any] = [[since, rates] for since, rates, _ in every]
    if dated and dated[0][0] is not None:
        dated.insert(0, [None, {}])  # before the first date there is no price
    pattern = path[1].lower()
    match = f"/{fnmatch.translate(pattern)}" if set(pattern) & set("*?[") else f"={pattern}"
    variants = [[way, since, rates] for since, _, ways in reversed(every) for way, rates in ways]
    return {"id": path[1], "match": match, "prices": dated, "variants": variants}


_Entry: TypeAlias = "tuple[str | None, dict[str, Any], list[tuple[dict[str, str], dict[str, Any]]]]"


def _entry(source: Source, path: tuple[str, ...], given: Any) -> _Entry:
    fields = _mapping(source, path, given)
    for field in fields:
        if field not in _FIELDS:
            raise source.wrong((*path, field), f"is no field; there are {', '.join(_FIELDS)}")
    since = fields.get("valid_from")
    if since is not None and (since := day(since)) is None:
        raise source.wrong(
            (*path, "valid_from"), f"is {shown(fields['valid_from'])}; it must be a date, 2026-11-30"
        )
    rates = _rates(source, path, fields)
    if not rates:
        raise source.wrong(path, f"has no price; give at least one of {', '.join(_RATES)}")
    _tiers(source, path, fields.get("tiers", []), rates)
    ways = [
        (_WAYS[way], _rates(source, (*path, way), _mapping(source, (*path, way), fields[way])))
        for way in _WAYS
        if way in fields
    ]
    return since, rates, ways


def _rates(source: Source, path: tuple[str, ...], fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: number(source, (*path, name), fields[name]) for name in _RATES if name in fields}


def _tiers(source: Source, path: tuple[str, ...], given: Any, rates: dict[str, Any]) -> None:
    path = (*path, "tiers")
    if not isinstance(given, list):
        raise source.wrong(path, "must be a list of objects, each with above and rates")
    for tier in cast("list[Any]", given):
        fields = _mapping(source, path, tier)
        if "above" not in fields:
            raise source.wrong(path, "has no above: the number of input tokens from which it holds")
        above = number(source, (*path, "above"), fields["above"])
        for name in fields:
            if name not in ("above", *_RATES):
                raise source.wrong((*path, name), "is no field; a tier has above and rates")
            if name != "above" and name not in rates:
                raise source.wrong((*path, name), f"has no rate below: give {name} beside tiers, too")
        for name, rate in _rates(source, path, fields).items():
            below = rates[name]
            rates[name] = [*(below if isinstance(below, list) else [below]), [above, rate]]


def number(source: Source, path: tuple[str, ...], value: Any) -> float:
    """A rate; anything but a number that is not negative is wrong."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise source.wrong(path, f"is {shown(value)}; it must be a number, 0 or more")
    return value


def _mapping(source: Source, path: tuple[str, ...], value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise source.wrong(path, f"is {shown(value)}; it must be an object with names and values")
    found = cast("Mapping[Any, Any]", value)
    if not all(isinstance(name, str) for name in found):
        raise source.wrong(path, "has a name that is no text")
    return found


__all__ = ["NOTHING", "UNITS", "Alias", "Given", "Own", "PriceError", "number", "read"]
