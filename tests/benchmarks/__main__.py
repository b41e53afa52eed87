"""``python -m tests.benchmarks``: all figures, or the parts chosen with --only.  Ends with 1 when a gate is broken."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tests.benchmarks import (
    clients,
    count,
    exported,
    gates,
    gpu,
    growth,
    report,
    startup,
    steps,
    subjects,
    timing,
)
from tests.benchmarks.workloads import WORKLOADS

PARTS = ("count", "clients", "time", "startup", "export", "growth", "gpu")
CLIENTS = ("anthropic", "google_genai", "mistralai", "boto3", "ollama")
"""What is shown beside OpenAI, in an environment that has them."""
SENT_IN_MODES = ("default", "content on")
COUNTED = tuple(name for name in WORKLOADS if "200" not in name)
TIMED = tuple(name for name in WORKLOADS if "60" not in name and name != "stream20_async")
TIMED_IN_MODES = ("chat", "stream20", "stream200", "chat_50k")


def say(title: str, text: str = "") -> None:
    print(f"\n== {title}" + (f"\n{text}" if text else ""), flush=True)


def counts(*, quick: bool) -> list[gates.Gate]:
    found: list[gates.Gate] = []
    say("work: bytecodes and Python calls (repeatable to the unit; the gate)")
    for mode in subjects.MODES:
        names = COUNTED if mode == "default" and not quick else gates.WORKLOADS
        ours = count.count("genai_otel", names, mode)
        floor = count.count("floor", names, mode)
        say(f"work, {mode}", report.work(ours, floor))
        if mode == "default":
            found += gates.of_work(ours, floor)
            found += gates.of_control(count.count("nothing", gates.WORKLOADS))
        elif mode == "content on":
            found += gates.of_content(ours, floor)
    decorated, by_hand = steps.count("genai_otel"), steps.count("floor")
    say("work, steps of the program's own", report.steps(decorated, by_hand))
    return found + gates.of_steps(decorated, by_hand)


def times(*, quick: bool) -> timing.Cost:
    rounds = 4 if quick else 12
    say(f"time: interleaved ABBA blocks, {rounds} rounds, load {os.getloadavg()[0]:.1f} (reported, no gate)")
    found: dict[str, timing.Cost] = {}
    for mode in subjects.MODES:
        names = ("chat",) if quick else TIMED if mode == "default" else TIMED_IN_MODES
        costs = timing.compare(subjects.NAMES, names, rounds=rounds, mode=mode)
        say(f"time, {mode}", report.times(costs))
        found[mode] = costs["chat"]["genai_otel"]
    return found["default"]


def others(python: str, *, quick: bool) -> list[gates.Gate]:
    """Bytecodes and times of further clients, each with its own library."""
    say("clients: the model server's answers in place of their vendors'")
    found: list[gates.Gate] = []
    rows: list[report.ClientRow] = []
    for client in CLIENTS:
        names = clients.MAIN[client]
        work = count.count("genai_otel", names, python=python)
        found += gates.of_client(work)
        rounds = 2 if quick else 4
        timed = timing.compare(("nothing", "genai_otel"), names[:2], rounds=rounds, python=python)
        rows.append(report.ClientRow(client, work, timed))
    print(report.clients(rows))
    return found


def started(*, quick: bool) -> list[gates.Gate]:
    measured = startup.startup(2 if quick else 7)
    say("set-up", report.startup(measured))
    return [gates.Gate("packages that setup() must not import", len(measured.forbidden), 0)]


def grown(*, quick: bool) -> list[gates.Gate]:
    calls, streams = (4_000, 1_000) if quick else (100_000, 10_000)
    say(f"growth over {calls:,} calls and {streams:,} dropped streams")
    measured = growth.growth(calls, streams)
    print(report.growth(measured))
    return [gates.Gate(f"growth with {each.what}", not each.none, 0) for each in measured]


def _python() -> str:
    """The interpreter of the environment that has all clients."""
    there = Path(__file__).parents[2] / ".venvs" / "clients" / "bin" / "python"
    return str(there) if there.exists() else sys.executable


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=PARTS, help="one part; may be repeated (default: all)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="fewer rounds and calls, the main workloads only"
    )
    chosen = parser.parse_args()
    parts, quick = chosen.only or PARTS, chosen.quick
    found = counts(quick=quick) if "count" in parts else []
    if "clients" in parts:
        found += others(_python(), quick=quick)
    chat = times(quick=quick) if "time" in parts else None
    if "startup" in parts:
        found += started(quick=quick)
    sent = {mode: exported.exported(mode) for mode in SENT_IN_MODES} if "export" in parts else {}
    if sent:
        say("export", report.exported(sent))
    if "growth" in parts:
        found += grown(quick=quick)
    if "gpu" in parts:
        say("collections of metrics with GPUs", report.gpus(gpu.collections(100 if quick else 1_000)))
    if chat and sent:
        say("for the README", report.statement(chat, sent["default"]))
    if found:
        say("gates", report.gates(found))
    return 0 if all(gate.holds for gate in found) else 1


if __name__ == "__main__":
    sys.exit(main())
