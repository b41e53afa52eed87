"""Writes the parts of README.md that are made from code: `make docs`.

A test compares the README with `current()`, so that the table cannot fall behind the settings.
"""

import re
from pathlib import Path

from genai_otel.config import SETTINGS

README = Path(__file__).resolve().parent.parent / "README.md"


def cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def settings() -> str:
    rows = ["| variable | `setup()` argument | default | meaning |", "|---|---|---|---|"]
    for setting in SETTINGS:
        argument = f"`{setting.argument}`" if setting.argument else ""
        default = f"`{cell(setting.default)}`" if setting.default not in (None, "", ()) else "unset"
        rows.append(f"| `{setting.variable}` | {argument} | {default} | {cell(setting.meaning)} |")
    return "\n".join(rows)


def current(text: str) -> str:
    """The README with its generated parts as they should be."""
    part = re.compile(r"(?<=<!-- settings -->\n).*?(?=<!-- /settings -->)", re.DOTALL)
    return part.sub(lambda _: settings() + "\n", text)


if __name__ == "__main__":
    README.write_text(current(README.read_text(encoding="utf-8")), encoding="utf-8")
