"""Writes the parts of the documents that are made from code: `make docs`.

Such a part stands between `<!-- name -->` and `<!-- /name -->`.  A test compares the documents with `current()`, so
that they cannot fall behind.
"""

from collections.abc import Iterator
from pathlib import Path

from genai_otel.cli.settings import markdown

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


PARTS = (
    (ROOT / "README.md", "settings", markdown),
    (DECISIONS / "README.md", "decisions", decisions),
)


def current() -> Iterator[tuple[Path, str]]:
    """Each document with its generated part as it should be."""
    for document, name, make in PARTS:
        before, start, rest = document.read_text(encoding="utf-8").partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        yield document, f"{before}{start}{make()}\n{end}{after}"


if __name__ == "__main__":
    for path, text in current():
        path.write_text(text, encoding="utf-8")
