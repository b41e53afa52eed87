"""GPUs: load, memory, heat, power, errors, and what a token costs of them.

Several processes of a host may tell of the same GPU, so each series is the `max` by its GPU before anything is summed.
"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from boards import panels as show
from boards import queries as q
from boards.board import assembled, choices
from boards.panels import Ask, Panels, legend
from genai_otel.gpu.table import METRICS

_TABLE = {each.name: each for each in METRICS}
_GPU = ("hw_id", "hw_name")
_SHOWN = ("hw_name", "hw_id")
_LEGEND = legend(*_SHOWN)
_CHOSEN = 'hw_id=~"$gpu"'
_GENERAL, _TROUBLE = 'hw_gpu_task="general"', 'hw_state!="ok"'
_REASON = "genai_otel_gpu_throttle_reason"


def board() -> Dashboard:
    """The dashboard."""
    return assembled(
        "gpu",
        "GPUs",
        "NVIDIA GPUs as their driver tells of them: load, memory, heat, power, errors.",
        choices(_named("hw.status"), ("gpu", "GPU", "hw_id")),
        (
            ("State", _state()),
            ("Load and memory", _load()),
            ("Heat and power", _heat()),
            ("Errors and transfers", _errors()),
            ("Inside (GENAI_OTEL_GPU_GPM=on)", _inside()),
            ("By choice (GENAI_OTEL_GPU_EXTRA)", _extra()),
            ("The reading itself", _reading()),
        ),
    )


def _named(name: str) -> str:
    return q.named(name, _TABLE[name].unit, _TABLE[name].kind)


def _now(name: str, *conditions: str, by: tuple[str, ...] = _GPU) -> str:
    return f"max by ({', '.join(by)}) ({q.now(_named(name), _CHOSEN, *conditions)})"


def _per_second(name: str, *conditions: str, by: tuple[str, ...] = _GPU) -> str:
    return f"rate({_goes_on(name, *conditions, by=by)}[$__rate_interval:])"


def _goes_on(name: str, *conditions: str, by: tuple[str, ...] = _GPU) -> str:
    """A counter of the driver's, which began before the process that tells of it: a new one's is no jump from zero."""
    return f"({_now(name, *conditions, by=by)})"


def _state() -> Panels:
    return [
        show.number("GPUs", show.COUNT, Ask(f"count({_now('hw.status', by=('hw_id',))})")),
        show.number(
            "Not in order",
            show.COUNT,
            Ask(f"sum({_now('hw.status', _TROUBLE, by=('hw_id', 'hw_state'))})"),
            about="Lost, degraded, or about to fail.",
        ),
        show.number("Mean utilization", show.SHARE, Ask(f"avg({_now('hw.gpu.utilization', _GENERAL)})")),
        show.number(
            "Fullest memory",
            show.SHARE,
            Ask(f"max({_now('hw.gpu.memory.utilization')})"),
            about="Of the fullest.",
        ),
        show.number("Hottest", show.CELSIUS, Ask(f"max({_now('hw.temperature')})")),
        show.number("Power of all", show.WATTS, Ask(f"sum({_now('hw.power')})")),
    ]


def _load() -> Panels:
    idle = f"(1 - {_now('hw.gpu.utilization', _GENERAL)}) * {_now('hw.gpu.memory.utilization')}"
    return [
        show.lines(
            "Utilization",
            show.SHARE,
            Ask(_now("hw.gpu.utilization", _GENERAL), _LEGEND),
            about="Time in which any kernel ran.",
            width=show.QUARTER,
        ),
        show.lines(
            "Memory used", show.SHARE, Ask(_now("hw.gpu.memory.utilization"), _LEGEND), width=show.QUARTER
        ),
        show.lines(
            "Memory",
            show.BYTES,
            Ask(_now("hw.gpu.memory.usage"), f"{_LEGEND} used"),
            Ask(_now("genai_otel.gpu.memory.reserved"), f"{_LEGEND} the driver's"),
            Ask(_now("hw.gpu.memory.limit"), f"{_LEGEND} in all"),
            width=show.QUARTER,
        ),
        show.lines(
            "Loaded and idle",
            show.SHARE,
            Ask(idle, _LEGEND),
            about="High where memory is full and nothing runs.",
            width=show.QUARTER,
        ),
    ]


def _heat() -> Panels:
    sensor = "hw_sensor_location"
    per_token = f"{q.total(_per_second('hw.energy'))} / ({q.total(q.tokens('output', chosen=''))} > 0)"
    return [
        show.lines(
            "Temperature",
            show.CELSIUS,
            Ask(_now("hw.temperature", by=(*_GPU, sensor)), legend(*_SHOWN, sensor)),
            Ask(_now("hw.temperature.limit", by=(*_GPU, "hw_limit_type")), legend(*_SHOWN, "hw_limit_type")),
        ),
        show.lines(
            "Power",
            show.WATTS,
            Ask(_now("hw.power"), _LEGEND),
            Ask(_now("genai_otel.gpu.power.limit"), f"{_LEGEND} limit"),
        ),
        show.lines(
            "Slowed down by",
            show.SHARE,
            Ask(
                _per_second("genai_otel.gpu.clock.throttled.time", by=(*_GPU, _REASON)),
                legend(*_SHOWN, _REASON),
            ),
            about="Share of the time for which a reason slowed the clocks down.",
        ),
        show.lines(
            "Clocks",
            show.HERTZ,
            Ask(
                _now("genai_otel.gpu.clock.frequency", by=(*_GPU, "genai_otel_gpu_clock_domain")),
                legend(*_SHOWN, "genai_otel_gpu_clock_domain"),
            ),
        ),
        show.lines("Energy per second", show.WATTS, Ask(_per_second("hw.energy"), _LEGEND), stacked=True),
        show.lines(
            "Energy per output token",
            show.JOULES,
            Ask(per_token, "all GPUs by all tokens"),
            about="Of these GPUs, idle power included, by the tokens of all model calls: where the models run here.",
        ),
    ]


def _errors() -> Panels:
    return [
        show.lines(
            "Errors",
            show.COUNT,
            Ask(
                f"increase({_goes_on('hw.errors', by=(*_GPU, q.ERROR))}[$__range:])",
                legend(*_SHOWN, q.ERROR),
            ),
            about="In the time shown: of the memory, and transfers that were repeated.",
        ),
        show.lines(
            "State",
            show.COUNT,
            Ask(_now("hw.status", by=(*_GPU, "hw_state")), legend(*_SHOWN, "hw_state")),
            about="1 for the state that the GPU is in.",
        ),
        show.lines(
            "PCIe",
            show.BYTES_PER_SECOND,
            Ask(
                _per_second("hw.gpu.io", by=(*_GPU, "network_io_direction")),
                legend(*_SHOWN, "network_io_direction"),
            ),
        ),
    ]


def _inside() -> Panels:
    return [
        show.lines(title, show.SHARE, Ask(_now(f"genai_otel.gpu.{name}"), _LEGEND), width=show.QUARTER)
        for title, name in (
            ("Multiprocessors busy", "sm.utilization"),
            ("Warps active", "sm.occupancy"),
            ("Tensor cores at work", "tensor.utilization"),
            ("Bandwidth of the memory", "memory.bandwidth.utilization"),
        )
    ]


def _extra() -> Panels:
    way = "network_io_direction"
    nvlink = _per_second("genai_otel.gpu.nvlink.io", by=(*_GPU, way))
    kernels = q.now(_named("genai_otel.gpu.process.utilization"), _CHOSEN)
    held = q.now(_named("genai_otel.gpu.process.memory.usage"), _CHOSEN)
    by, shown = "service_name, hw_id", legend("service_name", "hw_id")
    return [
        show.lines(
            "NVLink",
            show.BYTES_PER_SECOND,
            Ask(nvlink, legend(*_SHOWN, way)),
            width=show.QUARTER,
        ),
        show.lines("Fan", show.SHARE, Ask(_now("hw.fan.speed_ratio"), _LEGEND), width=show.QUARTER),
        show.lines(
            "Kernels of services",
            show.SHARE,
            Ask(f"sum by ({by}) ({kernels})", shown),
            about="Of the processes that tell of GPUs.",
            width=show.QUARTER,
        ),
        show.lines(
            "Memory of services", show.BYTES, Ask(f"sum by ({by}) ({held})", shown), width=show.QUARTER
        ),
    ]


def _reading() -> Panels:
    took = "genai_otel_gpu_scrape_duration_seconds"
    failures = q.rate("genai_otel_gpu_scrape_failures_total")
    return [
        show.lines(
            "Time of a reading, p95",
            show.SECONDS,
            Ask(q.quantile(0.95, q.rate(f"{took}_bucket"), "service_name"), "{{service_name}}"),
            width=show.HALF,
        ),
        show.lines(
            "Failed readings",
            show.CALLS,
            Ask(q.total(failures, q.ERROR), legend(q.ERROR)),
            width=show.HALF,
        ),
    ]
