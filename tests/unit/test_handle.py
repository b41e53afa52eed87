"""The parts that a handle is made of: threads for the end, exporters per process, what a child must not share."""

from __future__ import annotations

import os
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    InMemoryMetricReader,
    MetricExporter,
    MetricExportResult,
    PeriodicExportingMetricReader,
)

from genai_otel import fence
from genai_otel.config import Config
from genai_otel.runtime import exporters, family, forked
from genai_otel.runtime.ending import Worker, submit_all, wait_all
from genai_otel.runtime.exporters import CountedMetrics, ExporterError, PerProcess
from genai_otel.runtime.handle import Handle


def test_a_worker_runs_its_tasks_in_order_and_survives_a_failing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fence, "strict", False)
    monkeypatch.setattr(fence, "_errors", {})
    worker, seen = Worker("test"), list[int]()

    def fail() -> None:
        raise RuntimeError

    events = [worker.submit(task) for task in (lambda: seen.append(1), fail, lambda: seen.append(2))]
    assert wait_all(events, time.monotonic() + 5)
    assert seen == [1, 2]
    assert fence.errors() == {"runtime.ending": 1}


def test_tasks_of_several_workers_share_one_deadline() -> None:
    workers, gate = {number: Worker(str(number)) for number in range(3)}, threading.Event()
    start = time.monotonic()
    events = submit_all(workers, {0: gate.wait, 1: gate.wait, 2: lambda: None})
    assert wait_all(events, start + 0.2) is False
    assert time.monotonic() - start < 0.4
    assert events[2].is_set()
    gate.set()
    assert wait_all(events, time.monotonic() + 5)


def test_a_handle_of_nothing_is_always_done() -> None:
    handle = Handle(Config(), None, problems=["switched off"])
    threads = threading.active_count()
    assert (handle.flush(0), handle.shutdown(0), handle.shutdown(), handle.ended) == (True, True, True, False)
    handle.restart()
    assert threading.active_count() == threads


def test_only_a_child_of_this_process_tells_it_and_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(family, "_shared", None)
    family.tell_parent()  # never forked: nobody listens
    assert not family.told(60)
    family.share()
    family.tell_parent()
    assert not family.told(60)
    monkeypatch.setattr(os, "getppid", os.getpid)
    family.tell_parent()
    assert family.told(60)
    assert not family.told(0)


class Exporter:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def called(*_: object) -> str:
            self.calls.append(name)
            return name

        return called


def test_an_exporter_is_made_anew_in_a_child_and_only_if_it_is_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Exporter] = []
    exporter = PerProcess(lambda: made.append(Exporter()) or made[-1])
    assert exporter.export([1]) == "export"
    monkeypatch.setattr("os.getpid", lambda: -1)  # as a child sees it
    exporter.shutdown()
    exporter.force_flush(1)
    assert [each.calls for each in made] == [["export"]]  # the parent's is left alone
    assert exporter.export([1]) == "export"
    assert exporter.force_flush(1) == "force_flush"
    exporter.shutdown()
    assert [each.calls for each in made] == [["export"], ["export", "force_flush", "shutdown"]]


class Metrics(MetricExporter):
    def __init__(self, result: MetricExportResult | Exception) -> None:
        super().__init__()
        self.result = result

    def export(self, metrics_data: Any, timeout_millis: float = 10_000, **_: Any) -> MetricExportResult:
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return True

    def shutdown(self, timeout_millis: float = 30_000, **_: Any) -> None: ...


@pytest.mark.parametrize(
    ("result", "lost"),
    [(MetricExportResult.SUCCESS, 0), (MetricExportResult.FAILURE, 3), (OSError("no network"), 3)],
)
def test_points_that_a_back_end_did_not_take_are_counted(
    result: MetricExportResult | Exception, lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fence, "_drops", {})
    counted: Any = CountedMetrics(Metrics(result))
    reader = PeriodicExportingMetricReader(counted, export_interval_millis=float("inf"))
    provider = MeterProvider([reader], shutdown_on_exit=False)
    counter = provider.get_meter("test").create_counter("c")
    for number in range(3):
        counter.add(1, {"number": number})
    provider.force_flush()
    assert fence.drops().get(("metrics", "export_failed"), 0) == lost
    provider.shutdown()


def test_a_child_starts_from_zero_with_locks_of_its_own() -> None:
    """Guards the places of the SDK that have no public names; where one moves, this fails."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    counter = provider.get_meter("test").create_counter("c")
    counter.add(5)
    consumer: Any = vars(provider)["_measurement_consumer"]
    (storage,) = consumer._reader_storages.values()
    (matches,) = storage._instrument_view_instrument_matches.values()
    owners = [consumer, storage, matches[0]]
    locks = [owner._lock for owner in owners]
    with locks[0], locks[1], locks[2]:  # as a thread of the parent may hold them
        forked.renew(provider, [reader])
        assert all(owner._lock is not lock for owner, lock in zip(owners, locks, strict=True))
        counter.add(1)
        data: Any = reader.get_metrics_data()
    (point,) = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
    assert point.value == 1
    provider.shutdown()


def test_what_the_sdk_no_longer_has_is_left_alone() -> None:
    forked.renew(SimpleNamespace(), [SimpleNamespace()])
    forked.renew(None, [])


def test_which_exporters_are_chosen() -> None:
    chosen = exporters.chosen
    assert chosen("traces", {}, endpoint=None) == []
    assert chosen("traces", {}, endpoint="http://h") == ["otlp"]
    assert chosen("logs", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h"}, endpoint=None) == ["otlp"]
    assert chosen("logs", {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://h"}, endpoint=None) == []
    assert chosen("traces", {"OTEL_TRACES_EXPORTER": "none"}, endpoint="http://h") == []
    assert chosen("traces", {"OTEL_TRACES_EXPORTER": " otlp ,console,otlp,, "}, endpoint=None) == [
        "otlp",
        "console",
    ]


def test_an_exporter_that_nobody_offers() -> None:
    with pytest.raises(ExporterError, match="OTEL_LOGS_EXPORTER names 'x', which is not installed"):
        exporters.make("x", "logs", {}, endpoint=None)
