"""Settings: what each may be, where it comes from, and what is said about a value that it cannot have."""

from collections.abc import Mapping

import pytest

from genai_otel.config import SETTINGS, Config, SettingError
from genai_otel.runtime.standard import correct

NUMBERS = {
    "content_value_bytes",
    "span_bytes",
    "batch_bytes",
    "max_series",
    "exit_timeout",
    "gpu_budget_ms",
    "gpu_min_interval",
    "gpu_co2e_per_kwh",
}
SWITCHES = {
    "stream_usage",
    "keep_foreign_metrics",
    "keep_foreign_attributes",
    "instrument_libraries",
    "evaluation_spans",
    "gpu_energy",
    "gpu_gpm",
    "json_logs",
}
LISTS = {
    "propagate_to",
    "clients_off",
    "clients_native",
    "gpu_extra",
    "metric_keys",
    "accept_baggage",
    "cost_attributes",
}
CHOICES = {"capture_content", "console", "gpu", "user_ids"}
VARIABLES = {setting.argument: setting.variable for setting in SETTINGS}


def load(arguments: Mapping[str, object] | None = None, /, **environ: str) -> Config:
    return Config.load(arguments or {}, environ)


def test_every_setting_is_in_one_of_the_groups_below() -> None:
    assert set(VARIABLES) == NUMBERS | SWITCHES | LISTS | CHOICES | {
        "feedback_key",
        "user_key",
        "prices",
        "budget",
    }


def test_defaults_are_those_of_the_table() -> None:
    config = Config()
    for setting in SETTINGS:
        said = Config.load({}, {setting.variable: setting.default})
        assert getattr(said, setting.argument) == getattr(config, setting.argument), setting


def test_an_argument_wins_over_its_variable_and_the_variable_over_the_default() -> None:
    assert load(GENAI_OTEL_MAX_SERIES="20").max_series == 20
    assert load({"max_series": 30}, GENAI_OTEL_MAX_SERIES="20").max_series == 30
    assert load({"max_series": None}, GENAI_OTEL_MAX_SERIES="20").max_series == 20
    assert load(GENAI_OTEL_MAX_SERIES="  ").max_series == 2_000


@pytest.mark.parametrize("name", sorted(SWITCHES))
@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("1", True), ("ON", True), ("False", False), ("no", False)]
)
def test_switches(name: str, text: str, value: bool) -> None:
    assert getattr(Config.load({}, {VARIABLES[name]: text}), name) is value
    assert getattr(load({name: value}), name) is value


def test_lists_are_texts_with_commas_or_collections() -> None:
    for given in ("a, b,,", ["a", "b"], ("a", "b")):
        assert load({"clients_off": given}).clients_off == ("a", "b")


def test_keys_are_shown_nowhere() -> None:
    config = load(GENAI_OTEL_FEEDBACK_KEY="k-new, k-old")
    assert config.feedback_key == ("k-new", "k-old")
    assert "k-new" not in repr(config)
    with pytest.raises(SettingError, match="feedback_key") as caught:
        load({"feedback_key": 40_417})
    assert "40417" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "mode", "spans", "events"),
    [
        ("span_only", "SPAN_ONLY", True, False),
        ("EVENT_ONLY", "EVENT_ONLY", False, True),
        ("SPAN_AND_EVENT", "SPAN_AND_EVENT", True, True),
        ("NO_CONTENT", "NO_CONTENT", False, False),
        ("true", "SPAN_ONLY", True, False),  # what older packages took
        ("false", "NO_CONTENT", False, False),
    ],
)
def test_content(text: str, mode: str, spans: bool, events: bool) -> None:
    config = load(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=text)
    assert config.capture_content == mode
    assert (config.content_on_spans, config.content_on_events) == (spans, events)


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no text")


WRONG: list[tuple[str, object, str]] = [
    *[(name, "many", "number") for name in sorted(NUMBERS)],
    *[(name, -1, "from") for name in sorted(NUMBERS)],
    ("max_series", 1e300, "from 10 to 1e+06"),
    ("exit_timeout", float("nan"), "a number from 0 to 60"),
    ("exit_timeout", True, "a number"),
    ("max_series", [5], "whole number"),
    *[(name, "perhaps", "true and false") for name in sorted(SWITCHES)],
    *[(name, 2, "true and false") for name in sorted(SWITCHES)],
    *[(name, [1], "list of names") for name in sorted(LISTS)],
    ("capture_content", "everything", "SPAN_AND_EVENT"),
    ("console", "stdout", "auto, on, off"),
    ("gpu", "cuda", "auto, on, all, off"),
    ("gpu_extra", "fan,temperature", "fan, nvlink, process, serial_number"),
]


@pytest.mark.parametrize(("name", "value", "allowed"), WRONG)
def test_a_wrong_value_is_one_error_that_names_setting_value_and_what_is_allowed(
    name: str, value: object, allowed: str
) -> None:
    with pytest.raises(SettingError) as told:
        load({name: value})
    text = str(told.value)
    assert name in text
    assert allowed in text
    assert repr(value) in text or str(value) in text
    assert isinstance(told.value, ValueError)


def test_a_wrong_variable_is_named_as_such() -> None:
    with pytest.raises(SettingError, match=r"GENAI_OTEL_MAX_SERIES is 'x'; allowed is a whole number"):
        load(GENAI_OTEL_MAX_SERIES="x")


def test_an_unknown_setting_is_named_with_the_known_ones() -> None:
    with pytest.raises(SettingError, match=r"no setting 'consoel'; it has .*console.*"):
        load({"consoel": "on"})


def test_all_that_is_wrong_is_in_one_error() -> None:
    with pytest.raises(SettingError) as told:
        load({"max_series": "x", "consoel": 1}, GENAI_OTEL_CONSOLE="loud")
    assert all(word in str(told.value) for word in ("max_series", "consoel", "GENAI_OTEL_CONSOLE"))


def test_the_launcher_goes_on_with_the_default() -> None:
    config = Config.load({}, {"GENAI_OTEL_MAX_SERIES": "x", "GENAI_OTEL_CONSOLE": "on"}, lenient=True)
    assert config.max_series == 2_000
    assert config.console == "on"
    (problem,) = config.problems
    assert "GENAI_OTEL_MAX_SERIES is 'x'" in problem


def test_an_object_that_cannot_be_shown_is_a_wrong_value_like_any() -> None:
    for name in VARIABLES:
        with pytest.raises(SettingError, match=name):
            load({name: Unprintable()})


# --- the standard variables ----------------------------------------------------------------------

BAD = {
    "OTEL_BSP_MAX_QUEUE_SIZE": "-1",
    "OTEL_BSP_SCHEDULE_DELAY": "soon",
    "OTEL_BLRP_EXPORT_TIMEOUT": "0",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "few",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "-3",
    "OTEL_SPAN_LINK_COUNT_LIMIT": "1.5",
    "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT": "x",
    "OTEL_METRIC_EXPORT_INTERVAL": "0",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "nan",
    "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "xml",
    "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION": "brotli",
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "none",
    "OTEL_METRICS_EXEMPLAR_FILTER": "some",
    "OTEL_SDK_DISABLED": "perhaps",
}
GOOD = {
    "OTEL_BSP_MAX_QUEUE_SIZE": "600",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "0",
    "OTEL_METRIC_EXPORT_INTERVAL": "1e3",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "0.5",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
    "OTEL_EXPORTER_OTLP_HEADERS": "a=b, c=d%3D,",
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "DELTA",
    "OTEL_TRACES_SAMPLER": "jaeger_remote",
    "OTEL_TRACES_SAMPLER_ARG": "endpoint=x",
    "OTEL_SDK_DISABLED": "TRUE",
}


def test_bad_standard_variables_go_and_are_named_with_what_is_allowed() -> None:
    environ = {**BAD, "OTEL_SERVICE_NAME": "kept"}
    told = correct(environ)
    assert environ == {"OTEL_SERVICE_NAME": "kept"}
    assert len(told) == len(BAD)
    for name, value in BAD.items():
        (sentence,) = (text for text in told if text.startswith(f"{name} is {value!r}; allowed is "))
        assert sentence.endswith("; its default holds")


def test_good_standard_variables_stay() -> None:
    environ = dict(GOOD)
    assert correct(environ) == []
    assert environ == GOOD


def test_set_to_nothing_is_not_set() -> None:
    environ = {"OTEL_METRICS_EXEMPLAR_FILTER": " ", "OTEL_BSP_MAX_QUEUE_SIZE": ""}
    assert correct(environ) == []
    assert environ == {}


def test_a_header_is_never_shown() -> None:
    environ = {"OTEL_EXPORTER_OTLP_HEADERS": "Bearer s3cret", "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "=s3cret"}
    told = correct(environ)
    assert environ == {}
    assert len(told) == 2
    assert "s3cret" not in str(told)


@pytest.mark.parametrize("ratio", ["x", "-0.1", "7"])
def test_a_ratio_that_is_none_means_everything(ratio: str) -> None:
    environ = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": ratio}
    (told,) = correct(environ)
    assert ratio in told
    assert environ["OTEL_TRACES_SAMPLER_ARG"] == "1.0"


def test_a_batch_is_never_larger_than_its_queue() -> None:
    small = {"OTEL_BSP_MAX_QUEUE_SIZE": "100"}
    assert correct(small) == []  # nothing is wrong with it, though the SDK's default batch is 512
    assert small["OTEL_BSP_MAX_EXPORT_BATCH_SIZE"] == "100"
    large = {"OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": "100000"}
    (told,) = correct(large)
    assert "'100000'; allowed is at most OTEL_BLRP_MAX_QUEUE_SIZE, which is 2048" in told
    assert large["OTEL_BLRP_MAX_EXPORT_BATCH_SIZE"] == "2048"
