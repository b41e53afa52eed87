"""A Kafka cluster of real brokers on loopback: each node is broker and controller, with a folder of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.harness.process import ROOT, Process
from tests.stack.collector import free_port

SHIPPED = ROOT / "collector-config" / "kafka" / "broker.properties"
_CLUSTER = "genai-otel-tests-00000"  # 22 letters of base64, as Kafka wants an id to be
_READY = "Kafka Server started"


class Brokers:
    """Nodes that can be killed and started again one by one; they keep what they have on disk.

    `settings` go behind the shipped ones, `scram` is a user for the format command.
    """

    def __init__(
        self,
        folder: Path,
        jars: Path,
        *,
        nodes: int,
        settings: Mapping[str, str] | None = None,
        scram: Sequence[str] = (),
    ) -> None:
        self._folder = folder
        self._more = settings or {}
        self._classpath = str(jars / "*")
        self._ports = [(free_port(), free_port()) for _ in range(nodes)]
        self._running: dict[int, Process] = {}
        for node in range(nodes):
            (folder / str(node)).mkdir(parents=True)
            self._properties(node).write_text(self._settings(node))
            where = ["-t", _CLUSTER, "-c", str(self._properties(node))]
            self._java("kafka.tools.StorageTool", "format", *where, *scram)

    @property
    def addresses(self) -> str:
        """All of them, as `KAFKA_BROKERS` wants them."""
        return ",".join(f"127.0.0.1:{port}" for port, _ in self._ports)

    @property
    def pids(self) -> list[int]:
        """The processes of those that run."""
        return [process.pid for process in self._running.values()]

    def start(self, *nodes: int) -> None:
        """Starts them together and waits until each serves."""
        for node in nodes:
            command = ["java", "-Xmx384m", "-cp", self._classpath, "kafka.Kafka", str(self._properties(node))]
            self._running[node] = Process(command)
        for node in nodes:
            self._running[node].wait_for(_READY, timeout=60)

    def kill(self, node: int) -> None:
        self._running.pop(node).kill()

    def stop(self) -> None:
        while self._running:
            self._running.popitem()[1].kill()

    def topic(self, name: str, *, partitions: int) -> None:
        """Made as an operator makes it: replicated on all nodes, written when all but one have it."""
        nodes = len(self._ports)
        self._java(
            *("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", self.addresses, "--create"),
            *("--topic", name, "--partitions", str(partitions), "--replication-factor", str(nodes)),
            *("--config", f"min.insync.replicas={max(1, nodes - 1)}"),
        )

    def leader(self, topic: str) -> int:
        """The node that leads the topic's first partition."""
        about = self._java(
            *("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", self.addresses),
            *("--describe", "--topic", topic),
        )
        return int(about.split("Leader: ", 1)[1].split()[0]) - 1

    def _settings(self, node: int) -> str:
        broker, controller = self._ports[node]
        voters = ",".join(f"{other + 1}@127.0.0.1:{port}" for other, (_, port) in enumerate(self._ports))
        own = {
            "node.id": node + 1,
            "listeners": f"PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{broker}",
            "controller.quorum.voters": voters,
            "log.dirs": self._folder / str(node) / "data",
            "offsets.topic.replication.factor": len(self._ports),
            "offsets.topic.num.partitions": 3,
            **{
                name: value.format(broker=broker, controller=controller) for name, value in self._more.items()
            },
        }
        # A later line wins.
        return SHIPPED.read_text() + "".join(f"{name}={value}\n" for name, value in own.items())

    def _properties(self, node: int) -> Path:
        return self._folder / str(node) / "server.properties"

    def _java(self, *command: str) -> str:
        quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"
        done = subprocess.run(
            ["java", "-Xmx128m", quiet, "-cp", self._classpath, *command],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@contextmanager
def cluster(
    folder: Path,
    jars: Path,
    *,
    nodes: int,
    settings: Mapping[str, str] | None = None,
    scram: Sequence[str] = (),
) -> Generator[Brokers]:
    """All nodes running, ended at the end."""
    brokers = Brokers(folder, jars, nodes=nodes, settings=settings, scram=scram)
    try:
        brokers.start(*range(nodes))
        yield brokers
    finally:
        brokers.stop()
