"""Which dashboards there are, and their files."""

from __future__ import annotations

import json
from collections.abc import Iterator

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from boards import agents, cost, gpu, models, overview, pipeline, quality, streams

ALL = (overview, models, streams, agents, cost, gpu, quality, pipeline)


def built() -> Iterator[Dashboard]:
    """Every dashboard."""
    return (module.board() for module in ALL)


def written() -> dict[str, str]:
    """File name → text of every dashboard."""
    return {
        f"{str(each.uid).removeprefix('genai-otel-')}.json": json.dumps(each, cls=JSONEncoder, indent=1)
        + "\n"
        for each in built()
    }
