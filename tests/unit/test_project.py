"""What the top level says about itself is true: locks, floors, targets, generated parts."""

import re
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from docs import generate
from requirements import install

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def pins(lock: str) -> set[str]:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    return {line.rstrip(" \\") for line in text.splitlines() if line and not line.startswith(" ")}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_has_a_hash_for_every_package_and_no_address(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    packages = re.findall(r"^[a-z0-9][^ ]*==.*$", text, flags=re.MULTILINE)
    assert packages
    assert "://" not in text
    assert len(packages) == len(
        re.findall(r"^[a-z0-9][^ ]*==.* \\\n +--hash=sha256:", text, flags=re.MULTILINE)
    )


def test_what_the_demo_needs_is_part_of_the_development_lock() -> None:
    assert pins("demo") <= pins("dev")


def test_the_floor_lock_holds_the_floors_that_are_promised() -> None:
    floors = {pin.partition("==")[0]: pin.partition("==")[2].split(" ")[0] for pin in pins("floor")}
    promised = [Requirement(text) for text in requires("genai-otel") or () if "extra" not in text]
    assert promised
    for requirement in [*promised, Requirement("openai>=1.66.0")]:
        lowest = next(bound.version for bound in requirement.specifier if bound.operator == ">=")
        assert re.fullmatch(re.escape(lowest) + r"(\.0)*", floors[requirement.name]), requirement


def test_nothing_is_bound_from_above_within_a_major() -> None:
    bounds = [
        bound
        for text in requires("genai-otel") or ()
        for bound in Requirement(text).specifier
        if bound.operator != ">="
    ]
    assert all(bound.operator == "<" and "." not in bound.version for bound in bounds)


def test_every_make_target_that_is_told_of_exists() -> None:
    targets = set(
        re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    )
    told = "\n".join(
        (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md", ".ci/run")
    )
    named = set(re.findall(r"`make ([a-z-]+)|^(?:make|step) ([a-z-]+)", told, flags=re.MULTILINE))
    names = {name for pair in named for name in pair if name}
    assert {"demo", "test", "check"} <= names
    assert names <= targets


@pytest.mark.parametrize(
    ("document", "text"), list(generate.current()), ids=lambda part: getattr(part, "name", "")
)
def test_generated_parts_of_the_documents_are_current(document: Path, text: str) -> None:
    assert document.read_text(encoding="utf-8") == text, "run: make docs"


def test_an_installation_that_is_current_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = install.LOCKS / "demo.txt"
    (tmp_path / "installed-demo").write_text(install.fingerprint(lock))
    install.main(tmp_path, install.LOCKS / "dev.txt", lock)
    assert capsys.readouterr().out == ""
    assert not install.outdated(tmp_path)


def test_an_installation_from_another_lock_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "installed-demo").write_text(install.fingerprint(install.LOCKS / "dev.txt"))
    assert install.outdated(tmp_path)


def test_a_failing_step_shows_what_it_printed_without_addresses() -> None:
    with pytest.raises(install.Failed) as failed:
        install.run("sh", "-c", "echo no such package at https://user:pass@registry.example/simple; exit 3")
    assert str(failed.value) == "no such package at (address)"
