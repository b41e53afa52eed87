"""Writes every dashboard to `dashboards/`, beside this package."""

from pathlib import Path

from boards.catalog import written

FOLDER = Path(__file__).resolve().parent.parent / "dashboards"

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    texts = written()
    for old in set(FOLDER.glob("*.json")) - {FOLDER / name for name in texts}:
        old.unlink()
    for name, text in texts.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    print(f"wrote {len(texts)} dashboards to {FOLDER.name}/")
