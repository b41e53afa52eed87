"""Writes the parts of README.md that are made from code: `make docs`.

A test compares the README with `current()`, so that the table cannot fall behind the settings.
"""

import re
from pathlib import Path

from genai_otel.cli.settings import markdown

README = Path(__file__).resolve().parent.parent / "README.md"


def current(text: str) -> str:
    """The README with its generated parts as they should be."""
    part = re.compile(r"(?<=<!-- settings -->\n).*?(?=<!-- /settings -->)", re.DOTALL)
    return part.sub(lambda _: markdown() + "\n", text)


if __name__ == "__main__":
    README.write_text(current(README.read_text(encoding="utf-8")), encoding="utf-8")
