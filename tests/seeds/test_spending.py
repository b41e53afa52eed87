"""What it costs: by real tokens and own prices, also where a client goes away, and never reset at midnight."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.faults.test_model_server import SERVER, talk
from tests.harness.distribution import distribution
from tests.harness.process import run
from tests.harness.sink import HttpSink, Sink
from tests.harness.web import address, serve

pytestmark = pytest.mark.process

PRICES = {"mine": {"tiny": {"input": 1_000_000, "output": 2_000_000}}}  # a dollar and two a token


def total(sink: Sink, metric: str) -> float:
    return sum(point.value for point in sink.latest(metric))


@pytest.mark.seed_rows("003-01", "003-09", "003-14", "003-15")
def test_a_server_prices_what_it_served_also_to_those_who_went_away(tmp_path: Path, sink: HttpSink) -> None:
    distribution(tmp_path, "serving", modules={"server": SERVER.replace("PROVIDER", "")})
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps(PRICES), encoding="utf-8")
    with serve(tmp_path, "server", sink, GENAI_OTEL_PRICES=str(prices)) as server:
        base = address(server)
        talk(base, "/returned", "abc").close()
        whole = 3 * 1 + 3 * 2
        talk(base, "/returned", "b" * 500, until=b"data: 2").close()
        talk(base, "/returned", "abc").close()  # behind the one that was left
        server.signal(signal.SIGTERM)
        server.finish()
    served = [span for span in sink.spans() if span.scope == "genai_otel"]
    outcomes = [span.attributes["genai_otel.outcome"] for span in served]
    assert sorted(outcomes) == ["cancelled", "completed", "completed"]
    (left,) = [span for span in served if span.attributes["genai_otel.outcome"] == "cancelled"]
    tokens = left.attributes["gen_ai.usage.output_tokens"]
    assert tokens >= 3
    assert total(sink, "genai_otel.server.cost") == pytest.approx(2 * whole + 500 + 2 * tokens)
    for point in sink.latest("genai_otel.server.cost"):
        assert point.attributes["gen_ai.request.model"] == "tiny"
        assert point.attributes["genai_otel.cost.source"] == "custom"
    # Nothing of a client's: who asks counts that.
    assert not [
        name for name in sink.metrics() if name.startswith(("gen_ai.client", "genai_otel.client.cost"))
    ]


ASKS = """
import sys, time, openai, genai_otel
genai_otel.setup(metric_keys=["tenant"])
client = openai.OpenAI(base_url=sys.argv[1], api_key="k")
for day in range(3):
    for tenant, user in (("acme", "ada"), ("acme", "bob"), ("globex", "eve")):
        with genai_otel.context(tenant=tenant, user=user):
            client.chat.completions.create(
                model="gpt-4o-mini+input-1000000+output-0+cached-0", messages=[{"role": "user", "content": "one two"}]
            )
    genai_otel.flush()
print(genai_otel.spent())
"""


@pytest.mark.seed_rows("000-30", "002-04", "003-15", "003-33", "003-34", "003-35")
def test_one_counter_grows_for_ever_by_real_tokens_and_by_tenant(
    sink: HttpSink, model_server: ModelServer
) -> None:
    said = run(ASKS, env=sink.environment(), arguments=[model_server.base_url]).ok().out
    assert float(said) == pytest.approx(9 * 0.15)
    counter = "genai_otel.client.cost"
    by_tenant: dict[Any, float] = {}
    for point in sink.latest(counter):
        tenant = point.attributes["genai_otel.tenant"]
        by_tenant[tenant] = by_tenant.get(tenant, 0) + point.value
    assert by_tenant == {"acme": pytest.approx(0.9), "globex": pytest.approx(0.45)}
    # A day's cost is an increase of it: it falls at no midnight, and is there without traffic, too.
    history = [
        point.value for point in sink.points(counter) if point.attributes["genai_otel.tenant"] == "acme"
    ]
    assert history == sorted(history) and len(history) >= 3
    assert not [name for name in sink.metrics() if "daily" in name or name.endswith("_total")]
    assert not [name for point in sink.points() for name in point.attributes if name.startswith("user")]
