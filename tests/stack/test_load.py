"""One Collector at rising rates: what it takes, what that costs, and that it refuses instead of dying."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.harness.process import Process
from tests.stack.collector import Collector, free_port, program
from tests.stack.observed import Running
from tests.stack.posting import Batch, post

_SPANS: Final = 500  # in a request
_SECONDS: Final = float(os.environ.get("STACK_LOAD_SECONDS", "4"))  # at each rate
_RATES: Final = (1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000)  # spans per second
_SENDERS: Final = 8

_NOWHERE: Final = """
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "127.0.0.1:%(grpc)d", max_recv_msg_size_mib: 64}
      http: {endpoint: "127.0.0.1:%(http)d"}
exporters: {file: {path: /dev/null, format: proto}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], exporters: [file]}
    metrics: {receivers: [otlp], exporters: [file]}
    logs: {receivers: [otlp], exporters: [file]}
"""


class Cost(NamedTuple):
    """What a rate cost: spans per second, processor seconds per second, and MiB of memory."""

    rate: float
    processor: float
    memory: float


@pytest.fixture
def nowhere(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Back ends that take everything and keep nothing, and cost next to nothing."""
    ports = {"grpc": free_port(), "http": free_port()}
    config = tmp_path / "nowhere.yaml"
    config.write_text(_NOWHERE % ports, encoding="utf-8")
    with Process([program(), f"--config={config}"]) as process:
        process.wait_for("Everything is ready", timeout=30)
        url = f"http://127.0.0.1:{ports['http']}"
        yield {"JAEGER_OTLP": f"127.0.0.1:{ports['grpc']}", "PROMETHEUS_URL": url, "LOKI_URL": url}


class Load:
    """Sends the same request again and again, as often as a rate wants."""

    def __init__(self, endpoint: str, body: bytes, spans: int) -> None:
        self._endpoint, self._body, self._spans = endpoint, body, spans
        self.answers: Counter[int] = Counter()
        self._lock = threading.Lock()

    def at(self, rate: float, seconds: float) -> float:
        """Spans per second that were acknowledged."""
        self.answers.clear()
        began = time.monotonic()
        threads = [threading.Thread(target=self._send, args=(rate, began + seconds)) for _ in range(_SENDERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self.answers[200] * self._spans / (time.monotonic() - began)

    def _send(self, rate: float, end: float) -> None:
        every = self._spans * _SENDERS / rate
        due = time.monotonic()
        while (now := time.monotonic()) < end:
            if now < due:
                time.sleep(min(due, end) - now)
                continue
            due += every
            status = post(self._endpoint, self._body)
            with self._lock:
                self.answers[status] += 1


def _usage(pid: int) -> tuple[float, float]:
    """Processor seconds of a process so far, and its memory in MiB."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds, pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.parametrize("whose", ["ours", "foreign"])
def test_rising_rates(nowhere: dict[str, str], tmp_path: Path, whose: str) -> None:
    with Collector(tmp_path / "state", env=nowhere) as collector:
        assert collector.process is not None
        load = Load(collector.endpoint, Batch("load", _SPANS, ours=whose == "ours").renewed(), _SPANS)
        costs: list[Cost] = []
        for rate in _RATES:
            before, _ = _usage(collector.process.pid)
            began = time.monotonic()
            taken = load.at(rate, _SECONDS)
            after, memory = _usage(collector.process.pid)
            costs.append(Cost(taken, (after - before) / (time.monotonic() - began), memory))
            if taken < 0.9 * rate:
                break
        alive = collector.process.is_alive()
    print(f"\n{whose} spans, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    print("spans/s  cores  cores per 1,000 spans/s  MiB")
    for cost in costs:
        print(
            f"{cost.rate:7.0f}  {cost.processor:5.2f}  {1000 * cost.processor / cost.rate:23.3f}  {cost.memory:3.0f}"
        )
    assert alive
    assert costs[0].rate > 500  # the lowest rate is far from what it takes, on a machine with other work, too


def test_what_is_too_much_for_its_memory_is_refused(tmp_path: Path) -> None:
    """Senders are told to come again, and the Collector lives."""
    limits = {"OTELCOL_MEMORY_MIB": "180", "OTELCOL_SPIKE_MIB": "80", "GOMEMLIMIT": "220MiB"}
    with Running(tmp_path, **limits) as seen:
        seen.traces.mode = seen.others.mode = "refuse"
        process = seen.collector.process
        assert process is not None
        prompt = {"gen_ai.tool.description": "x" * 20_000}
        load = Load(seen.collector.endpoint, Batch("flood", 300, said=prompt).renewed(), 300)
        answers: Counter[int] = Counter()
        end = time.monotonic() + 30
        while not answers[503] and time.monotonic() < end:
            load.at(1e6, 2)
            answers += load.answers
        _, memory = _usage(process.pid)
        refused = seen.collector.says("otelcol_receiver_refused_spans_total")
        assert process.is_alive()
    print(
        f"\nacknowledged {answers[200]} requests of 6 MB, refused {answers[503]}, {memory:.0f} MiB at the end"
    )
    assert answers[503]
    assert sum(refused.values())
    # 0: no answer in the sender's 10 s, or one before all of the request was sent.
    assert set(answers) <= {200, 503, 0}
