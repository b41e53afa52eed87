"""Kafka as a company has it: over TLS, and only for users that it knows."""

from __future__ import annotations

from pathlib import Path

from programs.launcher import maven

from tests.harness.sink import GrpcSink, HttpSink
from tests.harness.stack import CONFIG
from tests.stack.brokers import cluster
from tests.stack.collector import Collector
from tests.stack.posting import Batch, post
from tests.stack.site import layers

_MECHANISM = "SCRAM-SHA-512"
_PASSWORD = "a-password-of-the-test"
_LOGIN = f'org.apache.kafka.common.security.scram.ScramLoginModule required username="otel" password="{_PASSWORD}";'
_BROKER = {
    "listeners": "SASL_SSL://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}",
    "advertised.listeners": "SASL_SSL://127.0.0.1:{broker}",
    "listener.security.protocol.map": "SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "SASL_SSL",
    "sasl.enabled.mechanisms": _MECHANISM,
    "sasl.mechanism.inter.broker.protocol": _MECHANISM,
    f"listener.name.sasl_ssl.{_MECHANISM.lower()}.sasl.jaas.config": _LOGIN,
    "ssl.keystore.type": "PEM",
    "ssl.truststore.type": "PEM",
}


def test_edges_and_samplers_log_in_over_tls(tmp_path: Path, certificate: Path) -> None:
    both = tmp_path / "broker.pem"
    both.write_text((certificate / "key.pem").read_text() + (certificate / "cert.pem").read_text())
    settings = {
        **_BROKER,
        "ssl.keystore.location": str(both),
        "ssl.truststore.location": str(certificate / "cert.pem"),
    }
    user = ("--add-scram", f"{_MECHANISM}=[name=otel,password={_PASSWORD}]")
    login = CONFIG / "scale" / "kafka-login.yaml"
    with (
        cluster(tmp_path / "kafka", maven.jars("kafka"), nodes=1, settings=settings, scram=user) as brokers,
        GrpcSink() as jaeger,
        HttpSink() as prometheus,
    ):
        about = {
            "KAFKA_BROKERS": brokers.addresses,
            "KAFKA_CA_FILE": str(certificate / "cert.pem"),
            "KAFKA_USER": "otel",
            "KAFKA_PASSWORD": _PASSWORD,
            "JAEGER_OTLP": jaeger.endpoint.removeprefix("http://"),
            "PROMETHEUS_URL": prometheus.endpoint,
            "SAMPLING_AFTER_ROOT": "1s",
            "SAMPLING_BASELINE_PERCENT": "100",
        }
        with (
            Collector(tmp_path / "edge", login, fragments=layers("edge"), env=about) as edge,
            Collector(tmp_path / "sampler", login, fragments=layers("sampler"), env=about),
        ):
            batch = Batch("logged-in", 10, spans=3)
            assert post(edge.endpoint, batch.renewed()) == 200
            jaeger.wait_for(lambda _: {span.span_id for span in jaeger.spans()} == batch.span_ids, timeout=60)
