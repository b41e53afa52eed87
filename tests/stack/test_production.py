"""The fragments of the first day in production, at work: other hosts, one more back end, sampling."""

from __future__ import annotations

import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from genai_otel import metrics
from tests.harness.sink import HttpSink
from tests.stack.collector import PRODUCTION, free_port
from tests.stack.observed import Running, Seen
from tests.stack.posting import Batch, post

_TOKEN = "a-token-of-the-test"


@pytest.fixture
def hosts(tmp_path: Path, certificate: Path) -> Iterator[Seen]:
    (tmp_path / "tokens").write_text(f"{_TOKEN}\n", encoding="utf-8")
    env = {
        "OTLP_HOSTS_GRPC": f"127.0.0.1:{free_port()}",
        "OTLP_HOSTS_HTTP": f"127.0.0.1:{free_port()}",
        "OTLP_TLS_CERT": str(certificate / "cert.pem"),
        "OTLP_TLS_KEY": str(certificate / "key.pem"),
        "OTLP_TOKENS": str(tmp_path / "tokens"),
    }
    with Running(tmp_path / "state", PRODUCTION / "hosts.yaml", **env) as seen:
        yield seen


def _sent(seen: Seen, scheme: str, headers: dict[str, str], trusted: Path) -> int | str:
    address = seen.collector.env["OTLP_HOSTS_HTTP"]
    request = urllib.request.Request(
        f"{scheme}://{address}/v1/traces",
        Batch("other-host", 1).renewed(),
        {"content-type": "application/x-protobuf", **headers},
    )
    context = ssl.create_default_context(cafile=str(trusted / "cert.pem"))
    try:
        with urllib.request.urlopen(request, timeout=5, context=context) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError as error:
        return type(error).__name__


def test_other_hosts_need_the_token_and_tls(hosts: Seen, certificate: Path) -> None:
    assert _sent(hosts, "https", {}, certificate) == 401
    assert _sent(hosts, "https", {"authorization": "Bearer wrong"}, certificate) == 401
    assert _sent(hosts, "http", {"authorization": f"Bearer {_TOKEN}"}, certificate) == 400
    assert _sent(hosts, "https", {"authorization": f"Bearer {_TOKEN}"}, certificate) == 200
    hosts.traces.wait_for(lambda _: hosts.spans("other-host"))
    assert len(hosts.spans("other-host")) == 1


def test_a_token_changes_while_it_runs(hosts: Seen, certificate: Path) -> None:
    Path(hosts.collector.env["OTLP_TOKENS"]).write_text("another\n", encoding="utf-8")
    end = time.monotonic() + 10
    while _sent(hosts, "https", {"authorization": "Bearer another"}, certificate) != 200:
        assert time.monotonic() < end
        time.sleep(0.2)
    assert _sent(hosts, "https", {"authorization": f"Bearer {_TOKEN}"}, certificate) == 401


def test_one_more_back_end_gets_all_of_it(tmp_path: Path) -> None:
    with HttpSink() as vendor:
        env = {"VENDOR_OTLP_ENDPOINT": vendor.endpoint, "VENDOR_OTLP_HEADERS": "{api-key: for-the-vendor}"}
        with Running(tmp_path, PRODUCTION / "vendor.yaml", **env) as seen:
            assert post(seen.collector.endpoint, Batch("both", 3).renewed()) == 200
            vendor.wait_for(lambda sink: len(sink.spans()) == 3 and sink.metrics())
            seen.traces.wait_for(lambda sink: len(sink.spans()) == 3)
    assert b"for-the-vendor" in vendor.everything()
    assert {metrics.OPERATION_DURATION.name, metrics.TOKEN_USAGE.name} <= vendor.metrics()


def test_a_vendor_that_is_away_holds_up_nobody(tmp_path: Path) -> None:
    env = {"VENDOR_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}", "VENDOR_OTLP_HEADERS": "{a: b}"}
    with Running(tmp_path, PRODUCTION / "vendor.yaml", **env) as seen:
        assert post(seen.collector.endpoint, Batch("alone", 3).renewed()) == 200
        seen.traces.wait_for(lambda sink: len(sink.spans()) == 3)


def test_sampling_keeps_what_matters_whole_and_no_metric_depends_on_it(tmp_path: Path) -> None:
    env = {"SAMPLING_AFTER_ROOT": "1s", "SAMPLING_BASELINE_PERCENT": "0", "SAMPLING_SLOW_MS": "2000"}
    kinds = {
        "plain": Batch("plain", 40, spans=3),
        "failed": Batch("failed", 5, spans=3, failed=True),
        "slow": Batch("slow", 5, spans=3, seconds=3),
        "dear": Batch("dear", 5, spans=3, said={"gen_ai.usage.output_tokens": 60_000}),
    }
    with Running(tmp_path, PRODUCTION / "sampling.yaml", **env) as seen:
        for batch in kinds.values():
            assert post(seen.collector.endpoint, batch.renewed()) == 200
        seen.traces.wait_for(
            lambda _: {kind for kind in kinds if seen.spans(kind)} == {"failed", "slow", "dear"}
        )
        time.sleep(1)
        kept = {kind: len(seen.spans(kind)) for kind in kinds}
        counted = {kind: _calls(seen, kind) for kind in kinds}
    assert kept == {"plain": 0, "failed": 15, "slow": 15, "dear": 15}
    assert counted == {"plain": 120, "failed": 15, "slow": 15, "dear": 15}


def test_a_share_of_all_others_is_kept(tmp_path: Path) -> None:
    env = {"SAMPLING_AFTER_ROOT": "1s", "SAMPLING_BASELINE_PERCENT": "25"}
    with Running(tmp_path, PRODUCTION / "sampling.yaml", **env) as seen:
        assert post(seen.collector.endpoint, Batch("plain", 400, spans=2).renewed()) == 200
        seen.traces.wait_for(lambda _: len(seen.spans("plain")) > 100)
        time.sleep(1)
        spans = seen.spans("plain")
    traces = {span.trace_id for span in spans}
    assert 50 < len(traces) < 160
    assert len(spans) == 2 * len(traces)


def _calls(seen: Seen, service: str) -> int:
    counts = [
        point.count for point in seen.points(service) if point.metric == metrics.OPERATION_DURATION.name
    ]
    return max(counts, default=0)
