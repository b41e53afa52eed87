"""The command ``genai-otel``: see it work (demo), ask what is wrong (doctor), draw what was exported (report)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date

from genai_otel.cli import report_options


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code (0 good, 1 problems or missing packages, 2 wrong usage)."""
    options = _parser().parse_args(argv)
    try:
        return _COMMANDS[options.command](options)
    except KeyboardInterrupt:
        return 130  # what a shell calls "ended by Ctrl-C"
    except BrokenPipeError:
        # Whoever read the output (head, less) has seen enough; the interpreter must not complain at exit either.
        sys.stdout = None
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="genai-otel", description="OpenTelemetry for GenAI calls.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser(
        "demo", help="a small app with a local model: watch its traces and metrics, no key needed"
    )
    doctor = commands.add_parser(
        "doctor", help="what is installed and on, where telemetry goes, what to repair"
    )
    doctor.add_argument("--json", action="store_true", help="the same facts for programs")
    settings = commands.add_parser("settings", help="the settings of genai-otel, their defaults and values")
    settings.add_argument("--markdown", action="store_true", help="as the table in the README")
    prices = commands.add_parser("prices", help="what is known of prices")
    actions = prices.add_subparsers(dest="action", required=True, metavar="action")
    update = actions.add_parser("update", help="take newer prices from the installed genai-prices")
    update.add_argument(
        "file", nargs="?", help="where to write them; by default where every program finds them"
    )
    update.add_argument(
        "--date",
        type=_day,
        help="when that version was released; by default that of its newest price that holds already",
    )
    check = actions.add_parser(
        "check", help="say whether a file of your own prices is good, and what is in it"
    )
    check.add_argument("file", help="JSON or TOML, in our form or litellm's")
    shown = actions.add_parser("show", help="the rates of a model, as they hold now")
    shown.add_argument("model", help="as a request or an answer names it: gpt-4o, claude-sonnet-4-5")
    shown.add_argument("--provider", help="of one provider only: openai, aws.bedrock")
    rules = commands.add_parser("rules", help="rules of Prometheus for the objectives of your services")
    rules.add_argument("file", nargs="+", help="SLO files; all that one Prometheus has go together")
    rules.add_argument("-o", "--output", default="-", help="where the rules go; standard output")
    report_options.declare(
        commands.add_parser("report", help="exported spans as one HTML page: calls, tokens, cost, latency")
    )
    stack = commands.add_parser(
        "stack",
        help="Collector, Jaeger, Prometheus, Loki, Alertmanager, Grafana: all files to run them, into a folder",
    )
    stack.add_argument("folder", help="where to write them; a newer release updates what nobody changed")
    stack.add_argument("--force", action="store_true", help="replace files that somebody changed, too")
    return parser


def _day(text: str) -> str:
    return date.fromisoformat(text).isoformat()


# Imported when chosen: no command pays for another one's imports.
def _demo(_: argparse.Namespace) -> int:
    from genai_otel.cli.demo import run

    return run()


def _doctor(options: argparse.Namespace) -> int:
    from genai_otel.cli.doctor import run

    return run(as_json=options.json)


def _settings(options: argparse.Namespace) -> int:
    from genai_otel.cli.settings import run

    return run(as_markdown=options.markdown)


def _prices(options: argparse.Namespace) -> int:
    from genai_otel.cli import prices

    if options.action == "update":
        return prices.update(options.file, options.date)
    if options.action == "check":
        return prices.check(options.file)
    return prices.show(options.model, options.provider)


def _report(options: argparse.Namespace) -> int:
    from genai_otel.cli.report import run

    return run(options)


def _stack(options: argparse.Namespace) -> int:
    from genai_otel.cli.stack import run

    return run(options.folder, force=options.force)


def _rules(options: argparse.Namespace) -> int:
    from genai_otel.cli.rules import run

    return run(options.file, options.output)


_COMMANDS = {
    "demo": _demo,
    "doctor": _doctor,
    "settings": _settings,
    "prices": _prices,
    "report": _report,
    "stack": _stack,
    "rules": _rules,
}
