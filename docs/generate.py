"""Writes what is made from code, parts of the documents and rules of Prometheus: `make docs`.

Such a part stands between `<!-- name -->` and `<!-- /name -->`.  A test compares the documents with `current()`, so
that they cannot fall behind.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from otelcol import FRAGMENTS

from genai_otel.cli.settings import markdown
from genai_otel.clients import SPECS
from genai_otel.gpu.table import METRICS, co2e
from genai_otel.slo.definition import FIELDS, together
from genai_otel.slo.rules import text as slo_rules
from genai_otel.spec import ClientSpec

ROOT = Path(__file__).resolve().parent.parent
DECISIONS = ROOT / "docs" / "decisions"


def decisions() -> str:
    """The index of the records, by the title that each has in its first line."""
    rows = ["| | decision |", "|---|---|"]
    for record in sorted(DECISIONS.glob("[0-9]*.md")):
        number, _, title = (
            record.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ").partition(" ")
        )
        rows.append(f"| [{number}]({record.name}) | {title} |")
    return "\n".join(rows)


def clients() -> str:
    """The support table, from the specs; the newest tested version is the one that a lock installs."""
    rows = [
        "| client | versions tested | operations | streams | raw responses | its own tracing |",
        "|" + "---|" * 6,
    ]
    for spec in SPECS:
        distribution, floor = _floor(spec)
        names = (distribution, f"{distribution}-cpu")  # one is installed under another name
        newest = next(filter(None, (_locked(lock, name) for lock in NEWEST for name in names)), "?")
        endpoints = [each for endpoint in spec.endpoints for each in (endpoint, *endpoint.routes)]
        operations = sorted({each.operation for each in endpoints if each.operation})
        cells = (
            f"`{distribution}`",
            HOW.get(distribution, "{floor} to {newest}").format(floor=floor, newest=newest),
            ", ".join(operations),
            "yes" if any(each.chunk is not None or each.fed is not None for each in endpoints) else "",
            "yes" if spec.raw is not None else "",
            "wrap, native, off" if spec.native is not None else "",
        )
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def gpu() -> str:
    """What is read of a GPU."""
    rows = ["| metric | instrument | unit | labels | read | what it is |", "|" + "---|" * 6]
    for metric in (*METRICS, co2e(1)):
        labels: dict[str, list[str]] = {}
        for row in metric.rows:
            for name, value in row.labels.items():
                if value not in labels.setdefault(name, []):
                    labels[name].append(value)
        cells = (
            f"`{metric.name}`",
            metric.kind.replace("_", " "),
            f"`{metric.unit}`",
            "; ".join(f"`{name}`: {', '.join(values)}" for name, values in labels.items()),
            _WHEN[metric.option] if metric.name != "genai_otel.co2e" else "`GENAI_OTEL_GPU_CO2E_PER_KWH`",
            metric.description,
        )
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def slo() -> str:
    """The fields of an SLO file."""
    rows = ["| field | what it says |", "|---|---|"]
    return "\n".join([*rows, *(f"| `{name}` | {row.meaning} |" for name, row in FIELDS.items())])


_WHEN = {
    "": "always",
    "gpm": "`GENAI_OTEL_GPU_GPM=on`",
    **{name: f"`GENAI_OTEL_GPU_EXTRA={name}`" for name in ("fan", "nvlink", "process")},
}


def _floor(spec: ClientSpec) -> tuple[str, str]:
    found = re.match(r"([\w.-]+)\s*>=\s*([\w.]+)", spec.requires)
    if found is None:
        raise ValueError(f"{spec.name} names no floor: {spec.requires!r}")
    return found[1], found[2]


def _locked(lock: Path, distribution: str) -> str:
    found = re.findall(
        rf"^{re.escape(distribution.replace('_', '-'))}==([^ ;]+)",
        lock.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    return found[-1] if found else ""


HOW = {
    "vllm": "{newest}, 0.18.0; {floor}.0 once",  # below 0.18 no lock can hold its build for processors
}
"""Where the oldest version is not run each time."""
NEWEST = [
    path
    for name in ("clients", "litellm", "aiobotocore", "ibm-watsonx-ai", "engines", "llama-cpp", "vllm", "dev")
    if (path := ROOT / "requirements" / f"{name}.txt").exists()
]
PARTS = (
    (ROOT / "README.md", "settings", markdown),
    (ROOT / "README.md", "clients", clients),
    (ROOT / "docs" / "gpu.md", "gpu", gpu),
    (ROOT / "docs" / "slo.md", "slo", slo),
    (DECISIONS / "README.md", "decisions", decisions),
)


def rules() -> str:
    """The rules of Prometheus for the SLO files that come with genai-otel."""
    return slo_rules(together(sorted((CONFIG / "slo").glob("*.yaml"))))


CONFIG = ROOT / "collector-config"
WHOLE = (*FRAGMENTS, (CONFIG / "prometheus" / "rules" / "slo.yml", rules))


def current() -> Iterator[tuple[Path, str]]:
    """Each document with its generated part as it should be, and each that is made whole."""
    for document, name, make in PARTS:
        before, start, rest = document.read_text(encoding="utf-8").partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        yield document, f"{before}{start}{make()}\n{end}{after}"
    for document, make in WHOLE:
        yield document, make()


if __name__ == "__main__":
    for path, text in current():
        path.write_text(text, encoding="utf-8")
