"""A site past one machine on loopback: two edges, three brokers, two samplers, each with a Jaeger of its own.

Where a sampler's traces went is seen by the Jaeger that has them, so the Collectors run on what is shipped alone.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from programs.launcher import maven

from tests.harness.stack import CONFIG, Jaeger, Prometheus, Stack, running
from tests.stack.brokers import Brokers, cluster
from tests.stack.collector import Collector

TOPIC = "otlp_spans"
_PARTITIONS = 12


@dataclass(frozen=True)
class Site:
    """Edges, samplers and what is behind them by their numbers; Prometheus is in the first of the stacks."""

    brokers: Brokers
    edges: tuple[Collector, ...]
    samplers: tuple[Collector, ...]
    stacks: tuple[Stack, ...]

    @property
    def jaegers(self) -> tuple[Jaeger, ...]:
        """Those of the samplers, in their order."""
        return tuple(stack.jaeger for stack in self.stacks)

    @property
    def prometheus(self) -> Prometheus:
        """The one that all edges write to."""
        return self.stacks[0].prometheus


@contextmanager
def site(folder: Path, **settings: str) -> Generator[Site]:
    """Everything running, and ended at the end; `settings` are variables of the Collectors."""
    with (
        cluster(folder / "kafka", maven.jars("kafka"), nodes=3) as brokers,
        running(folder / "first", "prometheus", "jaeger") as first,
        running(folder / "second", "jaeger") as second,
        ExitStack() as ending,
    ):
        brokers.topic(TOPIC, partitions=_PARTITIONS)
        about = {**settings, "KAFKA_BROKERS": brokers.addresses, "PROMETHEUS_URL": first.prometheus.url}
        edges, samplers = (
            tuple(
                Collector(
                    folder / f"{tier}-{number}",
                    fragments=layers(tier),
                    env={
                        "OTELCOL_INSTANCE": f"{tier}-{number}",
                        "JAEGER_OTLP": f"127.0.0.1:{stack.ports['JAEGER_OTLP_PORT']}",
                        **about,
                    },
                )
                for number, stack in enumerate((first, second), start=1)
            )
            for tier in ("edge", "sampler")
        )
        for collector in (*samplers, *edges):
            ending.enter_context(collector)
        yield Site(brokers, edges, samplers, (first, second))


def replace(collector: Collector, **changed: str) -> None:
    """SIGTERM and a new one on the same state, as in a rollout, with other variables."""
    assert collector.process is not None
    collector.process.signal(signal.SIGTERM)
    collector.process.finish(timeout=60)
    collector.env = {**collector.env, **changed}
    collector.start()


def layers(tier: str) -> list[Path]:
    """The fragments of an edge or a sampler in their order, as the Helm values of the tier name them."""
    values = (CONFIG / "kubernetes" / f"values-{tier}.yaml").read_text()
    return [_shipped(name) for name in re.findall(r"--config=/etc/otelcol/(\S+)", values)]


def _shipped(name: str) -> Path:
    """Where a fragment is kept; a pod has those of all three folders in one."""
    folders = [CONFIG / "otelcol", CONFIG / "otelcol" / "production", CONFIG / "scale"]
    return next(folder / name for folder in folders if (folder / name).exists())
