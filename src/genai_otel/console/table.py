"""Metrics as a table to read: how many, how much, and the estimated median and 95th percentile of histograms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from opentelemetry.sdk.metrics.export import (
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
)

from genai_otel import semconv
from genai_otel.console.facts import duration, money
from genai_otel.console.terminal import clean, clip, columns, pad
from genai_otel.quality import names as evaluations

Point = NumberDataPoint | HistogramDataPoint | ExponentialHistogramDataPoint

_COLUMNS = ("count", "sum", "mean", "p50", "p95")
_GENAI = ("gen_ai.", "genai_otel.", "hw.")
_LABELS_WIDTH = 48
# Values that explain themselves stand without their key, in this order.
_PLAIN = (
    semconv.OPERATION_NAME,
    semconv.REQUEST_MODEL,
    semconv.RESPONSE_MODEL,
    semconv.TOKEN_TYPE,
    semconv.FINISH_REASON,
    semconv.COST_COMPONENT,
    semconv.AGENT_NAME,
    semconv.TOOL_NAME,
    evaluations.NAME,
    evaluations.EVALUATOR,
    semconv.BUDGET_WINDOW,
    "hw.name",
)
# What says again which GPU it is.
_LEFT_OUT = frozenset({"hw.id", "hw.model", "hw.vendor", "hw.type", "hw.parent"})
# The same on most points: said once above the table where there is only one value.
_COMMON = (semconv.PROVIDER_NAME, semconv.SERVER_ADDRESS, semconv.SERVER_PORT, semconv.COST_SOURCE)


class _Line(NamedTuple):
    labels: str
    cells: tuple[str, ...]


def metrics_table(metrics_data: MetricsData | None, *, prefixes: tuple[str, ...] = _GENAI) -> str:
    """A table of the metrics whose names begin with ``prefixes``, one line per series; "" where there is none.

    A counter's or gauge's value stands under "sum".  p50 and p95 are interpolated within the bucket they fall
    into, so they are as exact as the buckets are fine.
    """
    metrics = [
        metric
        for metric in _metrics(metrics_data)
        if metric.name.startswith(prefixes) and metric.data.data_points
    ]
    if not metrics:
        return ""
    common = _common(metrics)
    groups = [
        (metric, [_line(metric, point, common) for point in metric.data.data_points]) for metric in metrics
    ]
    width = max(columns(line.labels) for _, lines in groups for line in lines)
    text = [" " * (width + 2) + "".join(f"{word:>10}" for word in _COLUMNS)]
    for metric, lines in groups:
        text.append(clean(metric.name))
        text += [
            "  " + pad(line.labels, width) + "".join(f"{cell:>10}" for cell in line.cells) for line in lines
        ]
    if common:
        shared = " ".join(f"{_short(key)}={value}" for key, value in common.items())
        text.insert(0, f"common labels: {shared}")
    return "\n".join(line.rstrip() for line in text) + "\n"


def quantile(point: HistogramDataPoint, share: float) -> float | None:
    """The value below which ``share`` (0 to 1) of the records lie, estimated from the buckets; None without any."""
    if point.count <= 0:
        return None
    wanted, seen = share * point.count, 0
    bounds = [point.min, *point.explicit_bounds, point.max]
    for place, count in enumerate(point.bucket_counts):
        if count and seen + count >= wanted:
            low, high = max(bounds[place], point.min), min(bounds[place + 1], point.max)
            return low + max(high - low, 0) * max(wanted - seen, 0) / count
        seen += count
    return point.max


def _metrics(metrics_data: MetricsData | None) -> list[Metric]:
    if metrics_data is None:
        return []
    every = (
        metric
        for resource in metrics_data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    )
    return sorted(every, key=lambda metric: metric.name)


def _common(metrics: Sequence[Metric]) -> dict[str, str]:
    """Labels of which the whole table has one value only."""
    values: dict[str, set[str]] = {}
    for metric in metrics:
        for point in metric.data.data_points:
            for key in _COMMON:
                if (value := (point.attributes or {}).get(key)) is not None:
                    values.setdefault(key, set()).add(clean(str(value)))
    return {key: found.pop() for key, found in values.items() if len(found) == 1}


def _line(metric: Metric, point: Point, common: Mapping[str, str]) -> _Line:
    labels = " ".join(_labels(point.attributes or {}, common)) or "-"
    return _Line(clip(labels, _LABELS_WIDTH), tuple(_cells(point, metric.unit or "")))


def _labels(attributes: Mapping[str, object], common: Mapping[str, str]) -> Iterator[str]:
    for key in _PLAIN:
        value = attributes.get(key)
        # The model that answered mostly says which one was asked for: gpt-4o, gpt-4o-2024-08-06.
        longer = key == semconv.REQUEST_MODEL and str(attributes.get(semconv.RESPONSE_MODEL, "")).startswith(
            str(value)
        )
        if value is not None and not longer:
            yield clean(str(value))
    for key, value in sorted(attributes.items()):
        if key not in _PLAIN and key not in common and key not in _LEFT_OUT:
            yield f"{clean(_short(key))}={clean(str(value))}"


def _short(key: str) -> str:
    return key.removeprefix("gen_ai.").removeprefix("genai_otel.")


def _cells(point: Point, unit: str) -> Iterator[str]:
    if isinstance(point, NumberDataPoint):
        yield from ("", _quantity(point.value, unit))
        return
    yield f"{point.count:,}"
    yield _quantity(point.sum, unit)
    yield _quantity(point.sum / point.count if point.count else None, unit)
    if isinstance(point, HistogramDataPoint):
        yield from (_quantity(quantile(point, share), unit) for share in (0.5, 0.95))


def _quantity(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    if unit == "s":
        return duration(value)
    if unit == "USD":
        return money(value, unit)
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4g}"
