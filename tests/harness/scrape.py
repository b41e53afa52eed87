"""A scrape, as a Prometheus server reads it."""

from __future__ import annotations

import urllib.request
from typing import Any

from prometheus_client.parser import text_string_to_metric_families


def scraped(port: int) -> dict[str, list[Any]]:
    """Name of the family to its samples; ValueError when the text does not parse."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode("utf-8")
    return {family.name: list[Any](family.samples) for family in text_string_to_metric_families(text)}
