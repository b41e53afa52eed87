"""``genai-otel stack``: what it writes, and what it will not overwrite."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from genai_otel.cli import main
from genai_otel.cli import stack as command
from tests.harness.process import ROOT

SHIPPED = ROOT / "collector-config"


def _files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_the_stack_is_written_out_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stack", str(tmp_path / "stack")]) == 0
    written = _files(tmp_path / "stack")
    del written[".written-by-genai-otel.json"]

    assert written == _files(SHIPPED)
    assert f"{tmp_path / 'stack' / 'stack.py'} up" in capsys.readouterr().out


def test_a_file_that_somebody_changed_is_kept_unless_forced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["stack", str(tmp_path)])
    ports = tmp_path / ".env"
    ports.write_text("OTLP_GRPC_PORT=5317\n")
    (tmp_path / "compose.yaml").unlink()

    refused = main(["stack", str(tmp_path)])
    told = capsys.readouterr().err
    kept = ports.read_text()
    forced = main(["stack", str(tmp_path), "--force"])

    assert (refused, kept) == (1, "OTLP_GRPC_PORT=5317\n")
    assert ".env" in told
    assert "compose.yaml" not in told
    assert not (forced or ports.read_bytes() != (SHIPPED / ".env").read_bytes())


def test_a_folder_with_files_of_somebody_elses_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {}")

    assert main(["stack", str(tmp_path)]) == 1
    assert _files(tmp_path) == {"compose.yaml": b"services: {}"}


def test_a_newer_release_updates_what_nobody_changed_and_removes_what_it_no_longer_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = tmp_path / "older"
    (older / "rules").mkdir(parents=True)
    (older / "rules" / "old.yml").write_text("groups: []")
    (older / ".env").write_text("A_PORT=1\n")
    with monkeypatch.context() as patch:
        patch.setattr(command, "bundled", lambda: older)
        assert main(["stack", str(tmp_path / "mine")]) == 0
    (tmp_path / "mine" / "compose.override.yaml").write_text("services: {}")

    assert main(["stack", str(tmp_path / "mine")]) == 0
    written = _files(tmp_path / "mine")
    assert written[".env"] == (SHIPPED / ".env").read_bytes()
    assert "rules/old.yml" not in written
    assert written["compose.override.yaml"] == b"services: {}"


def test_a_wheel_carries_the_stack(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path / "site")

    done = subprocess.run(
        [sys.executable, "-m", "genai_otel.cli", "stack", str(tmp_path / "stack")],
        cwd=tmp_path / "site",  # before the path, so that the wheel's package is the one that is found
        check=True,
        capture_output=True,
        text=True,
    )
    assert "docker compose up" in done.stdout
    assert _files(tmp_path / "stack").keys() - {".written-by-genai-otel.json"} == _files(SHIPPED).keys()
    assert _files(tmp_path / "site" / "genai_otel" / "collector-config") == _files(SHIPPED)
