"""The files for Kubernetes and compose name the fragments that test_scale.py runs, and set what these ask for."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from tests.harness.stack import CONFIG
from tests.stack.collector import FRAGMENTS, options, program
from tests.stack.site import layers

TIERS = ("edge", "sampler")
SERVICES = {"edge": "otelcol", "sampler": "sampler"}


def values(tier: str) -> dict[str, Any]:
    text = (CONFIG / "kubernetes" / f"values-{tier}.yaml").read_text()
    return cast("dict[str, Any]", yaml.safe_load(text))


@pytest.fixture(params=TIERS)
def tier(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_an_edge_is_the_single_collector_and_one_fragment_more() -> None:
    assert layers("edge") == [*FRAGMENTS, CONFIG / "scale" / "edge.yaml"]


def test_compose_layers_what_the_pods_layer(tier: str) -> None:
    overlay = yaml.safe_load((CONFIG / "scale" / "compose.yaml").read_text())
    service = overlay["services"][SERVICES[tier]]
    assert [Path(argument).name for argument in service["command"]] == [path.name for path in layers(tier)]


def test_the_pods_set_each_variable_that_has_no_default(tier: str) -> None:
    texts = "".join(path.read_text() for path in layers(tier))
    wanted = set(re.findall(r"\$\{env:(\w+)\}", texts))
    known = set(re.findall(r"\$\{env:(\w+)", texts))
    told = {entry["name"] for entry in values(tier)["extraEnvs"]}
    assert wanted <= told
    assert told <= known, "the pods set what no fragment reads"


def test_the_collector_of_the_pods_takes_them(tier: str) -> None:
    """With the very variables of the pods, where Kubernetes would put in addresses and names."""
    told = {entry["name"]: entry.get("value", "here") for entry in values(tier)["extraEnvs"]}
    environment = {name: value.replace("$(MY_POD_IP)", "127.0.0.1") for name, value in told.items()}
    command = [program(), "validate", *options(layers(tier))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_pods_run_the_version_that_the_tests_run(tier: str) -> None:
    versions = dict(
        line.split("=") for line in (CONFIG / ".env").read_text().splitlines() if "VERSION=" in line
    )
    assert values(tier)["image"]["tag"] == versions["OTELCOL_VERSION"]


def test_memory_of_a_pod_is_above_the_limiters(tier: str) -> None:
    """GOMEMLIMIT is 80 % of the pod's memory by the chart; the limiter refuses before."""
    about = values(tier)
    told = {entry["name"]: entry.get("value") for entry in about["extraEnvs"]}
    limit = int(about["resources"]["limits"]["memory"].removesuffix("Gi")) * 1024
    assert int(told["OTELCOL_MEMORY_MIB"]) <= 0.8 * limit
