"""SLO files: what they may say, what is said where they say something else, and the rules that are made of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from genai_otel.cli import main
from genai_otel.metrics import DURATION_BUCKETS
from genai_otel.slo.definition import FIELDS, read, together
from genai_otel.slo.rules import text
from genai_otel.slo.source import SloError

WHOLE = """
service: shop
environment: prod
name: cheap
objectives:
  success: 99.5
  latency-p95: 10.24s
  first-chunk-p99: 640ms
only:
  provider: openai
  model: 'gpt "mini"'
least_calls: 50
labels: {team: search}
"""


def written(folder: Path, said: str, name: str = "slo.yaml") -> Path:
    path = folder / name
    path.write_text(said, encoding="utf-8")
    return path


def test_a_whole_file_becomes_rules_that_prometheus_takes(tmp_path: Path) -> None:
    slo = read(written(tmp_path, WHOLE))
    assert (slo.service, slo.environment, slo.least_calls) == ("shop", "prod", 50)
    made = text([slo])
    (group,) = yaml.safe_load(made)["groups"]
    assert {rule["labels"]["slo"] for rule in group["rules"]} == {
        "cheap/success",
        "cheap/latency-p95",
        "cheap/first-chunk-p99",
    }
    assert all(rule["labels"]["team"] == "search" for rule in group["rules"])
    first, missed = group["rules"][:2]
    assert first["expr"].strip() == (
        "sum by (service_name, deployment_environment_name) (genai:calls:rate5m{"
        'service_name="shop", deployment_environment_name="prod", '
        'gen_ai_provider_name="openai", gen_ai_request_model="gpt \\"mini\\""})'
    )
    assert 'error_type!=""' in missed["expr"]
    assert 'le="0.64"' in made
    if shutil.which("promtool"):
        rules = written(tmp_path, made, "rules.yml")
        subprocess.run(["promtool", "check", "rules", str(rules)], check=True, capture_output=True)


def test_every_field_is_in_the_whole_file_or_another_one() -> None:
    assert {*yaml.safe_load(WHOLE), "budget"} == set(FIELDS)


def test_every_bound_of_the_histograms_can_be_an_objective(tmp_path: Path) -> None:
    for bound in DURATION_BUCKETS:
        for said in (f"{bound}s", f"{bound * 1000:g}ms"):
            path = written(tmp_path, f"service: a\nobjectives:\n  latency-p95: {said}\n")
            assert f'le="{bound!r}"' in text([read(path)])


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("", "slo.yaml is empty; it must name a service"),
        ("- shop", "line 1: the file is ['shop']; it must be a mapping of names to values"),
        ("service: shop\nobjectives: [", "line 2: no YAML: "),
        ("objectives: {success: 99}", "line 1: the file names no service"),
        ("service: shop", "line 1: the file has neither objectives nor a budget"),
        ("service: shop\nobjectives: {}", "line 1: the file has neither objectives nor a budget"),
        ("service: shop\nobjectives:", "line 2: objectives is None; it must be a mapping"),
        ("service: 3\nbudget: {day: 1}", "line 1: service is 3; it must be a text"),
        ("service: shop\n\nservise: x\nbudget: {day: 1}", "line 3: servise is no field; there are service, "),
        ("service: a\nservice: b\nbudget: {day: 1}", "line 2: service stands there twice"),
        ("service: a\nobjectives:\n  speed: 3", "line 3: objectives.speed cannot be: 'speed=3' is none"),
        ("service: a\nobjectives:\n  success: 100", "line 3: objectives.success is 100; of what must always"),
        (
            "service: a\nobjectives:\n  success: lots",
            "line 3: objectives.success cannot be: 'lots' is no number",
        ),
        (
            "service: a\nobjectives:\n  cost: 5",
            "line 3: objectives.cost has no window here; write it as budget",
        ),
        (
            "service: a\nobjectives:\n  latency-p95: 10s",
            "line 3: objectives.latency-p95 is '10s', which is no bound of the histogram; near are 5.12s and 10.24s",
        ),
        ("service: a\nobjectives:\n  latency-p50: 5.12s", "line 3: objectives.latency-p50 is below p90"),
        (
            "service: a\nobjectives:\n  share-tone:bad: 5",
            "line 3: objectives.share-tone:bad is looked at by genai-otel report alone",
        ),
        (
            "service: a\nobjectives:\n  latency-p95: soon",
            "line 3: objectives.latency-p95 cannot be: 'soon' is no",
        ),
        ("service: a\nbudget:\n  week: 5", "line 3: budget.week is no field; there are hour, day"),
        ("service: a\nbudget:\n  day: 0", "line 3: budget.day is 0; a limit is more than that"),
        ("service: a\nbudget:\n  day: .nan", "line 3: budget.day is nan; it must be a number, 0 or more"),
        ("service: a\nbudget:\n  day: yes", "line 3: budget.day is True; it must be a number"),
        (
            "service: a\nbudget: {day: 1}\nleast_calls: 1.5",
            "line 3: least_calls is 1.5; it must be a whole number",
        ),
        (
            "service: a\nbudget: {day: 1}\nleast_calls: -1",
            "line 3: least_calls is -1; it must be a number, 0 or more",
        ),
        ("service: a\nbudget: {day: 1}\nlabels:\n  severity: x", "line 4: labels.severity can be no label"),
        (
            "service: a\nbudget: {day: 1}\nonly:\n  model: m",
            "line 3: only narrows calls down, and budget is of the",
        ),
        ("service: !!python/object:os.system a", "no YAML"),
    ],
)
def test_what_is_wrong_is_one_line_with_file_line_and_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], said: str, error: str
) -> None:
    path = written(tmp_path, said)
    out = tmp_path / "rules.yml"
    assert main(["rules", str(path), "-o", str(out)]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith(str(path))
    assert error in printed.err
    assert printed.err.count("\n") == 1
    assert not out.exists()


def test_every_service_is_every_one_that_no_file_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    every = written(tmp_path, "service: '*'\nobjectives: {success: 99}", "every.yaml")
    shop = written(tmp_path, "service: shop\nobjectives: {success: 99.9}", "shop.yaml")
    assert main(["rules", str(every), str(shop)]) == 0
    of_every, of_shop = yaml.safe_load(capsys.readouterr().out)["groups"]
    assert 'service_name!="", service_name!="shop"' in of_every["rules"][0]["expr"]
    assert 'service_name="shop"' in of_shop["rules"][0]["expr"]


def test_objectives_that_would_write_the_same_series_are_refused(tmp_path: Path) -> None:
    one = written(tmp_path, "service: shop\nobjectives: {success: 99}", "one.yaml")
    other = written(tmp_path, "service: shop\nenvironment: prod\nobjectives: {success: 99.9}", "other.yaml")
    with pytest.raises(SloError, match=r"other.yaml and one.yaml have the same objective of shop"):
        together([one, other])
    named = written(tmp_path, "service: shop\nname: strict\nobjectives: {success: 99.9}", "named.yaml")
    assert len(together([one, named])) == 2


def test_rules_are_grouped_by_files_whose_names_differ(tmp_path: Path) -> None:
    first = written(tmp_path, "service: shop\nobjectives: {success: 99}\nlabels: {team: Zoë 🐙}")
    (tmp_path / "more").mkdir()
    second = written(tmp_path / "more", "service: shop\nbudget: {day: 5}", "budget.yaml")
    groups = yaml.safe_load(text(together([first, second])))["groups"]
    assert [group["name"] for group in groups] == ["genai-slo slo.yaml", "genai-slo budget.yaml"]
    assert groups[0]["rules"][0]["labels"]["team"] == "Zoë 🐙"
    with pytest.raises(SloError, match=r"another file is called slo.yaml"):
        together([first, written(tmp_path / "more", "service: desk\nbudget: {day: 5}")])


def test_without_pyyaml_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert main(["rules", str(written(tmp_path, WHOLE))]) == 1
    assert capsys.readouterr().err == "SLO files are read by PyYAML: pip install 'genai-otel[rules]'\n"


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", str(tmp_path / "none.yaml")]) == 1
    assert capsys.readouterr().err.endswith("none.yaml cannot be read: No such file or directory\n")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "none" / "rules.yml"
    assert main(["rules", str(written(tmp_path, WHOLE)), "-o", str(output)]) == 1
    assert capsys.readouterr().err == f"{output} cannot be written: No such file or directory\n"
