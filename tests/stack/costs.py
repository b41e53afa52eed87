"""What the tiers of a site cost: processor time and memory of edges, brokers and samplers."""

from __future__ import annotations

import time
from typing import Final, NamedTuple

import psutil

from tests.harness.patience import eventually
from tests.stack.posting import Batch, post
from tests.stack.site import Site

_TRACES: Final = 100  # in a request, of five spans each
_SECONDS: Final = 6.0  # at each rate


class Usage(NamedTuple):
    """Processor seconds so far, and MiB of memory, of all processes of a tier together."""

    seconds: float
    memory: float


def measure(scaled: Site, service: str, rate: float) -> tuple[int, str]:
    """The spans taken at a rate, and what they cost from the first until the samplers have decided on the last."""
    before, decided = usage(scaled), _decided(scaled)
    taken = _send(scaled, service, rate)
    eventually(lambda: _decided(scaled) - decided >= taken, timeout=60, every=0.5)
    after = usage(scaled)
    costs = (
        f"{tier} {1000 * (after[tier].seconds - before[tier].seconds) / taken:.3f} s, {after[tier].memory:.0f} MiB"
        for tier in after
    )
    return taken, f"{taken / _SECONDS:.0f} spans/s, each 1,000 cost: {'; '.join(costs)}"


def _send(scaled: Site, service: str, rate: float) -> int:
    """Spans that were acknowledged in some seconds at a rate, as far as the machine keeps up with it."""
    batch, taken, began = Batch(service, _TRACES, spans=5), 0, time.monotonic()
    while (now := time.monotonic()) < began + _SECONDS:
        if taken > rate * (now - began):
            time.sleep(0.01)
            continue
        assert post(scaled.edges[taken // (_TRACES * 5) % 2].endpoint, batch.renewed()) == 200
        taken += _TRACES * 5
    return taken


def _decided(scaled: Site) -> float:
    """Spans that the samplers have handed on."""
    return sum(sum(sampler.says("otelcol_exporter_sent_spans_total").values()) for sampler in scaled.samplers)


def usage(scaled: Site) -> dict[str, Usage]:
    tiers = {
        "edges": [edge.process.pid for edge in scaled.edges if edge.process],
        "brokers": scaled.brokers.pids,
        "samplers": [sampler.process.pid for sampler in scaled.samplers if sampler.process],
    }
    return {tier: _of(pids) for tier, pids in tiers.items()}


def _of(pids: list[int]) -> Usage:
    processes = [psutil.Process(pid) for pid in pids]
    times = [process.cpu_times() for process in processes]
    memory = sum(process.memory_info().rss for process in processes) / 2**20
    return Usage(sum(each.user + each.system for each in times), memory)
