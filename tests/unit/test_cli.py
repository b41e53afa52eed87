"""The command itself: usage, settings."""

from __future__ import annotations

import pytest

from genai_otel.cli import main
from genai_otel.cli.settings import markdown
from genai_otel.config import SETTINGS


def test_wrong_usage_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["heal"])
    assert ended.value.code == 2
    assert "doctor" in capsys.readouterr().err


def test_settings_are_listed_with_what_is_in_effect(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENAI_OTEL_CONSOLE", "on")
    assert main(["settings"]) == 0
    printed = capsys.readouterr().out
    assert "GENAI_OTEL_CONSOLE = on  (set)\n" in printed
    assert all(setting.variable in printed for setting in SETTINGS)


def test_a_value_that_cannot_be_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENAI_OTEL_CONSOLE", "maybe")
    assert main(["settings"]) == 1
    assert "problem: GENAI_OTEL_CONSOLE is 'maybe'; allowed are auto, on, off" in capsys.readouterr().out


def test_the_markdown_table_has_a_row_per_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings", "--markdown"]) == 0
    printed = capsys.readouterr().out
    assert printed == markdown() + "\n"
    assert [line.count("|") for line in printed.replace("\\|", "").splitlines()] == [5] * (len(SETTINGS) + 2)
