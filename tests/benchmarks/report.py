"""The figures as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tests.benchmarks.count import Work, per_chunk
from tests.benchmarks.exported import Exported
from tests.benchmarks.gates import SETUP_MILLISECONDS, Gate
from tests.benchmarks.gpu import Collection
from tests.benchmarks.growth import Growth
from tests.benchmarks.startup import Startup
from tests.benchmarks.steps import Cost as StepCost
from tests.benchmarks.timing import Cost


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as their longest cell: the first to the left, the others to the right."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    text = [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    return "\n".join([text[0], "  ".join("-" * width for width in widths), *text[1:]])


def work(ours: dict[str, Work], floor: dict[str, Work]) -> str:
    rows = [_work_row(name, ours[name], floor[name]) for name in ours]
    for suffix, title in (("", "per streamed chunk"), ("_async", "per streamed chunk, async")):
        if f"stream60{suffix}" in ours:
            rows.append(_work_row(title, per_chunk(ours, suffix), per_chunk(floor, suffix)))
    head = (
        "added per call",
        "bytecodes",
        "with export",
        "calls",
        "by hand",
        "with export",
        "share",
        "of both",
    )
    return table(head, rows)


def _work_row(name: str, ours: Work, floor: Work) -> list[str]:
    return [
        name,
        f"{ours.bytecodes:,.0f}",
        f"{ours.exported:,.0f}",
        f"{ours.calls:,.0f}",
        f"{floor.bytecodes:,.0f}",
        f"{floor.exported:,.0f}",
        _share(ours.bytecodes, floor.bytecodes),
        _share(ours.exported, floor.exported),
    ]


def steps(ours: dict[str, StepCost], floor: dict[str, StepCost]) -> str:
    rows = [
        [
            name,
            *(f"{number:,.0f}" for number in (*cost, *floor[name])),
            _share(cost.exported, floor[name].exported),
        ]
        for name, cost in ours.items()
    ]
    return table(("added per run", "bytecodes", "with export", "by hand", "with export", "share"), rows)


def times(costs: dict[str, dict[str, Cost]]) -> str:
    head = (
        "CPU us added per call",
        "client alone",
        "control",
        "by hand",
        "genai-otel",
        "share",
        "all threads by hand",
        "all threads",
        "share",
    )
    return table(head, [_time_row(name, cost) for name, cost in costs.items()])


def _time_row(name: str, cost: dict[str, Cost]) -> list[str]:
    nothing, floor, ours = cost["nothing"], cost["floor"], cost["genai_otel"]
    return [
        name,
        f"{ours.reference:,.0f}",
        *(f"{each.thread:,.0f} +-{each.spread:,.0f}" for each in (nothing, floor, ours)),
        _share(ours.thread, floor.thread),
        f"{floor.process:,.0f}",
        f"{ours.process:,.0f}",
        _share(ours.process, floor.process),
    ]


class ClientRow(NamedTuple):
    """One client: the work of its call and of its streams, and the times of its call and of the shorter stream."""

    client: str
    work: dict[str, Work]
    costs: dict[str, dict[str, Cost]]


def clients(rows: Iterable[ClientRow]) -> str:
    head = (
        "added by genai-otel",
        "bytecodes per call",
        "per chunk",
        "CPU us alone",
        "added to a call",
        "alone, 20 chunks",
        "added to the stream",
    )
    return table(head, [_client_row(*row) for row in rows])


def _client_row(client: str, work: dict[str, Work], costs: dict[str, dict[str, Cost]]) -> list[str]:
    call, *_ = work
    times = [cost["genai_otel"] for cost in costs.values()]
    cells = [(f"{cost.reference:,.0f}", f"{cost.thread:,.0f} +-{cost.spread:,.0f}") for cost in times]
    chunk = per_chunk(work, prefix=f"{call} ").bytecodes
    return [
        client,
        f"{work[call].bytecodes:,.0f}",
        f"{chunk:,.0f}",
        *(text for pair in cells for text in pair),
    ]


def startup(measured: Startup) -> str:
    verdict = "within" if measured.added <= SETUP_MILLISECONDS else "OVER"
    rows = [
        ("an empty interpreter", f"{measured.empty:,.0f}"),
        ("SDK set-up by hand", f"{measured.by_hand:,.0f}"),
        ("genai_otel.setup()", f"{measured.ours:,.0f}"),
        ("ours, more than by hand", f"{measured.added:,.0f}"),
        ("ours, for all clients", f"{measured.clients:,.1f}"),
    ]
    lines = [
        table(("CPU ms of a fresh process", "ms"), rows),
        f"{verdict} the budget of {SETUP_MILLISECONDS} ms",
        f"{len(measured.modules)} modules more than by hand; not our own: {', '.join(measured.foreign) or 'none'}",
    ]
    if measured.forbidden:
        lines.append(f"among them, and they must not be: {', '.join(measured.forbidden)}")
    return "\n".join(lines)


def growth(measured: list[Growth]) -> str:
    head = ("what stays behind", "calls", "RSS kB", "objects", "open calls", "series", "bytes per call")
    rows = [
        [
            each.what,
            f"{each.calls:,}",
            f"{each.resident:+,}",
            f"{each.objects:+,}",
            f"{each.open}",
            f"{each.series:+}",
            f"{each.held:.1f}",
        ]
        for each in measured
    ]
    return (
        table(head, rows)
        + "\n(RSS, objects and series: the change over the last three quarters of the calls)"
    )


def exported(sent: dict[str, Exported]) -> str:
    head = ("sent per chat call", "spans", "attributes", "bytes", "gzipped", "series in all")
    rows = [
        [
            mode,
            f"{each.spans:g}",
            f"{each.attributes}",
            f"{each.bytes:,.0f}",
            f"{each.compressed:,.0f}",
            f"{each.series}",
        ]
        for mode, each in sent.items()
    ]
    return table(head, rows)


def statement(cost: Cost, sent: Exported) -> str:
    """The sentence for the README."""
    return (
        f"At the defaults one chat call costs {cost.thread:.0f} us of CPU in the calling thread and "
        f"{max(cost.process - cost.thread, 0):.0f} us in the exporting one, {sent.spans:g} span of {sent.bytes:,.0f} "
        f"bytes ({sent.compressed:,.0f} gzipped in a batch), and updates {sent.series} metric series."
    )


def gates(measured: list[Gate]) -> str:
    head = ("gate", "figure", "limit", "")
    rows = [
        [gate.promise, f"{gate.figure:,.2f}", f"{gate.limit:,.2f}", "ok" if gate.holds else "BROKEN"]
        for gate in measured
    ]
    return table(head, rows)


def _share(ours: float, floor: float) -> str:
    return f"{ours / floor:.2f} x" if floor else "-"


def gpus(collections: Sequence[Collection]) -> str:
    rows = [
        [
            each.name,
            f"{each.median:,.0f}",
            f"{each.slow:,.0f}",
            f"{each.cpu:,.0f}",
            f"{each.series}",
            f"{each.calls:.0f}",
        ]
        for each in collections
    ]
    return table(("one collection", "median us", "99% us", "CPU us", "series", "calls of NVML"), rows)
