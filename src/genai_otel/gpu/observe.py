"""The observable instruments of the GPUs, and those about the reading itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from genai_otel.config import Config
from genai_otel.gpu.snapshots import Snapshots
from genai_otel.gpu.table import METRICS, Metric, co2e

if TYPE_CHECKING:
    from genai_otel.gpu.driver import Driver
    from genai_otel.gpu.snapshots import Source

SCRAPE_DURATION: Final = "genai_otel.gpu.scrape.duration"
SCRAPE_FAILURES: Final = "genai_otel.gpu.scrape.failures"
_SCRAPE_BUCKETS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_OF_A_DEADLINE: Final = 0.5
"""The share of a reader's time that may be spent on the GPUs."""


def chosen(config: Config) -> list[Metric]:
    """The metrics that are on."""
    options = {"", *config.gpu_extra, *(("gpm",) if config.gpu_gpm else ())}
    metrics = [metric for metric in METRICS if metric.option in options]
    return [*metrics, co2e(config.gpu_co2e_per_kwh)] if config.gpu_co2e_per_kwh else metrics


def observe(meter: Meter, config: Config, environ: Mapping[str, str], driver: Driver) -> None:
    """Register the instruments; nothing is loaded and nothing read before somebody collects."""
    metrics = chosen(config)

    def machine() -> Source:
        from genai_otel.gpu.machine import machine

        return machine(config, environ, metrics)

    durations = meter.create_histogram(
        SCRAPE_DURATION,
        "s",
        "Time that it took to read all GPUs once.",
        explicit_bucket_boundaries_advisory=_SCRAPE_BUCKETS,
    )
    snapshots = Snapshots(
        driver,
        machine,
        budget=config.gpu_budget_ms / 1000,
        interval=config.gpu_min_interval,
        took=durations.record,
    )

    def failures(options: CallbackOptions) -> Iterable[Observation]:
        # The first instrument of a collection: what it finds is there for the others.
        snapshots.refresh(options.timeout_millis / 1000 * _OF_A_DEADLINE)
        return [Observation(count, {"error.type": kind}) for kind, count in snapshots.failures().items()]

    meter.create_observable_counter(
        SCRAPE_FAILURES,
        [failures],
        "{failure}",
        "Readings of GPUs that failed, and those that came too late.",
    )
    create: dict[str, Callable[..., Any]] = {
        "counter": meter.create_observable_counter,
        "gauge": meter.create_observable_gauge,
        "up_down_counter": meter.create_observable_up_down_counter,
    }
    for metric in metrics:
        create[metric.kind](metric.name, [_values(snapshots, metric.name)], metric.unit, metric.description)


def _values(snapshots: Snapshots, name: str) -> Callable[[CallbackOptions], Sequence[Observation]]:
    return lambda _: snapshots.values(name)
