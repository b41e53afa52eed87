"""``genai-otel settings``: the settings of our own, as a list with what is in effect, or as the README's table."""

from __future__ import annotations

import os
import textwrap

from genai_otel.cli.environment import shown
from genai_otel.config import SETTINGS, Config


def run(*, as_markdown: bool = False) -> int:
    """Print the settings; exit code 1 when a variable has a value that it cannot have."""
    if as_markdown:
        print(markdown())
        return 0
    config = Config.load({}, os.environ, lenient=True)
    print(
        "Every standard OTEL_* variable keeps its meaning. An argument of setup() wins over its variable.\n"
    )
    for setting in SETTINGS:
        given = os.environ.get(setting.variable)
        state = f"{shown(setting.variable, given)}  (set)" if given else setting.default or "unset"
        print(f"{setting.variable} = {state}")
        print(
            textwrap.indent(
                textwrap.fill(f"{setting.argument}: {setting.meaning.replace('`', '')}", 90), "    "
            )
        )
    for problem in config.problems:
        print(f"\nproblem: {problem}")
    return 1 if config.problems else 0


def markdown() -> str:
    """The table in the README."""
    rows = ["| variable | `setup()` argument | default | meaning |", "|---|---|---|---|"]
    for setting in SETTINGS:
        default = f"`{setting.default}`" if setting.default else "unset"
        meaning = setting.meaning.replace("|", "\\|")
        rows.append(f"| `{setting.variable}` | `{setting.argument}` | {default} | {meaning} |")
    return "\n".join(rows)
