"""What the queries have in common: names as Prometheus has them, choices by the variables, and the two profiles.

A name is taken from the library and translated as Prometheus does with what comes by OTLP, so that a metric that is
renamed there changes here.  The two profiles of names are read with `or` between whole series: their labels are the
same, so a process that sends both counts once, and one of each profile counts beside the other.
"""

from __future__ import annotations

from typing import Final, Literal

from genai_otel import metrics, semconv
from genai_otel.metrics import Instrument

Kind = Literal["counter", "gauge", "up_down_counter", "histogram"]

_UNITS: Final = {
    "s": "seconds",
    "By": "bytes",
    "J": "joules",
    "W": "watts",
    "Cel": "celsius",
    "Hz": "hertz",
    "USD": "USD",
}


def label(name: str) -> str:
    """An attribute's name as Prometheus has it."""
    return name.replace(".", "_")


def named(name: str, unit: str, kind: Kind) -> str:
    """A metric's name as Prometheus makes it of one that came by OTLP."""
    parts = [label(name)]
    if kind == "gauge" and unit == "1":
        parts += ["ratio"] * ("ratio" not in parts[0].split("_"))
    elif unit in _UNITS and _UNITS[unit] not in parts[0].split("_"):
        parts.append(_UNITS[unit])
    return "_".join(parts + ["total"] * (kind == "counter"))


def of(instrument: Instrument) -> str:
    """The same of an instrument of the library; a histogram has `_count`, `_sum` and `_bucket` behind it."""
    return named(instrument.name, instrument.unit, "counter" if instrument.buckets is None else "histogram")


def where(*conditions: str) -> str:
    """Labels that series must have, by the variables of the dashboard."""
    return ", ".join(filter(None, conditions))


MODEL: Final = label(semconv.REQUEST_MODEL)
OPERATION: Final = label(semconv.OPERATION_NAME)
VENDOR: Final = label(semconv.PROVIDER_NAME)
ERROR: Final = label(semconv.ERROR_TYPE)
AGENT: Final = label(semconv.AGENT_NAME)
TOOL: Final = label(semconv.TOOL_NAME)

OUTCOME: Final = label(semconv.OUTCOME)

# By the variables of the dashboards.
ENVIRONMENT: Final = "deployment_environment_name"
SERVICE: Final = where(f'{ENVIRONMENT}=~"$environment"', 'service_name=~"$service"')
CALLS: Final = where(SERVICE, f'{VENDOR}=~"$vendor"', f'{MODEL}=~"$model"', f'{OPERATION}=~"$operation"')
LOGS: Final = where(SERVICE, 'service_name=~".+"')  # Loki wants one condition that means something
FAILED: Final = f'{ERROR}!=""'
WELL: Final = f'{ERROR}=""'


def now(name: str, *conditions: str) -> str:
    """The value of now."""
    return f"{name}{{{where(*conditions)}}}" if any(conditions) else name


def rate(name: str, *conditions: str) -> str:
    """Per second."""
    return f"rate({now(name, *conditions)}[$__rate_interval])"


def increase(name: str, *conditions: str) -> str:
    """In the time that the dashboard shows."""
    return f"increase({now(name, *conditions)}[$__range])"


def either(*queries: str) -> str:
    """Of equal series the first."""
    return f"({' or '.join(queries)})"


def total(query: str, *by: str) -> str:
    """The sum by these labels."""
    return f"sum by ({', '.join(by)}) ({query})" if by else f"sum({query})"


def or_zero(query: str, there: str) -> str:
    """A query, and 0 where it has nothing and something else is there: counters of trouble begin with the first."""
    return f"({query} or {there} * 0)"


def share(part: str, whole: str, *by: str) -> str:
    """The part of the whole by these labels: 0 where there is a whole and no part of it."""
    whole = total(whole, *by)
    return f"{or_zero(total(part, *by), whole)} / ({whole} > 0)"


def quantile(q: float, buckets: str, *by: str) -> str:
    """A quantile of a histogram whose buckets' rates these are."""
    return f"histogram_quantile({q}, {total(buckets, 'le', *by)})"


def ratio(of: str, by_what: str, *by: str) -> str:
    """How much of one there is for each of the other; nothing where either is not known."""
    return f"{total(of, *by)} / ({total(by_what, *by)} > 0)"


_DURATIONS: Final = (of(metrics.OPERATION_DURATION), of(metrics.INFERENCE_DURATION))
_FIRST_CHUNKS: Final = (of(metrics.OPERATION_TIME_TO_FIRST_CHUNK), of(metrics.INFERENCE_TIME_TO_FIRST_CHUNK))
_CHUNKS: Final = (of(metrics.OPERATION_TIME_PER_OUTPUT_CHUNK), of(metrics.INFERENCE_TIME_PER_OUTPUT_CHUNK))
_TOKENS: Final = of(metrics.TOKEN_USAGE)
_TOKEN_TYPE: Final = label(semconv.TOKEN_TYPE)
_OF_CALL: Final = (of(metrics.INFERENCE_OPERATION_INPUT), of(metrics.INFERENCE_OPERATION_OUTPUT))

Over = Literal["rate", "increase"]
_OVER: Final = {"rate": rate, "increase": increase}


def calls(*conditions: str, over: Over = "rate") -> str:
    """Calls of models."""
    return either(*(_OVER[over](f"{name}_count", CALLS, *conditions) for name in _DURATIONS))


def durations(*conditions: str, over: Over = "rate") -> str:
    """Buckets of how long calls took."""
    return either(*(_OVER[over](f"{name}_bucket", CALLS, *conditions) for name in _DURATIONS))


def left() -> str:
    """Calls that the program did not read to their end."""
    return rate(of(metrics.INCOMPLETE), CALLS)


def first_chunks(part: Literal["bucket", "count"] = "bucket", over: Over = "rate") -> str:
    """Streams, by the time to their first chunk."""
    return either(*(_OVER[over](f"{name}_{part}", CALLS) for name in _FIRST_CHUNKS))


def chunk_times(part: Literal["bucket", "count"] = "bucket") -> str:
    """Streams, by the mean time per chunk after the first."""
    return either(*(rate(f"{name}_{part}", CALLS) for name in _CHUNKS))


def tokens(
    kind: Literal["input", "output"], over: Over = "rate", *, part: str = "sum", chosen: str = CALLS
) -> str:
    """Tokens, or calls by how many they had; both profiles have a histogram of them."""
    of_kind = f'{_TOKEN_TYPE}="{kind}"'
    stable = _OVER[over](f"{_TOKENS}_{part}", chosen, of_kind)
    # Those of the newer profile tell failed calls from others, which the older does not.
    newer = _OVER[over](f"{_OF_CALL[kind == 'output']}_{part}", chosen)
    stable, newer = f"sum without ({_TOKEN_TYPE}) ({stable})", f"sum without ({ERROR}) ({newer})"
    return either(stable, newer)


_COST: Final = of(metrics.COST)


def cost(*conditions: str, over: Over = "rate") -> str:
    """US dollars."""
    return _OVER[over](_COST, CALLS, *conditions)


def hourly(*by: str) -> str:
    """US dollars per hour, going on as now."""
    return f"{total(cost(), *by)} * 3600"
