"""Energy of calls whose model runs in this process: alone, shared, unknown, and of nobody else."""

from __future__ import annotations

import pytest

from genai_otel.gpu.energy import Energy
from tests.gpu.nvml import FakeNvml
from tests.gpu.test_whole import STRICT, port_of, scraped_until, serve, values
from tests.harness.process import run
from tests.harness.sink import HttpSink


class Meter:
    """A counter of joules that a test moves."""

    def __init__(self) -> None:
        self.joules: float | None = 100.0
        self.energy = Energy(lambda: self.joules)

    def used(self, joules: float) -> None:
        self.joules = (self.joules or 0) + joules


def test_a_call_that_is_alone_has_all_of_its_time() -> None:
    meter = Meter()
    meter.energy.began("a")
    meter.used(30)
    assert meter.energy.ended("a") == (30, "exclusive")
    meter.used(5)  # between the calls
    meter.energy.began("b")
    meter.used(2)
    assert meter.energy.ended("b") == (2, "exclusive")


def test_calls_that_overlap_share_and_add_up_to_what_was_used() -> None:
    meter = Meter()
    meter.energy.began("a")
    meter.used(10)
    meter.energy.began("b")
    meter.used(20)
    assert meter.energy.ended("a") == (20, "shared")
    meter.used(6)
    assert meter.energy.ended("b") == (16, "shared")


def test_what_cannot_be_known_is_not_told() -> None:
    meter = Meter()
    meter.energy.began("a")
    meter.used(-90)  # the driver was loaded anew
    assert meter.energy.ended("a") is None
    meter.energy.began("b")
    meter.joules = None
    assert meter.energy.ended("b") is None
    meter.energy.began("c")  # it began while nothing was known
    meter.joules = 50
    assert meter.energy.ended("c") is None
    assert meter.energy.ended("never began") is None
    meter.energy.began("short")  # over before the driver counts on
    assert meter.energy.ended("short") is None
    meter.energy.began("d")
    meter.used(1)
    assert meter.energy.ended("d") == (1, "exclusive")


CALLS = """
import sys, time
import genai_otel
genai_otel.setup()
from genai_otel import fence
import ctypes
library = ctypes.CDLL("libnvidia-ml.so.1")
end = time.monotonic() + 10
while not library.fake_nvml_calls(b"nvmlDeviceGetTotalEnergyConsumption"):  # it is being opened since setup()
    assert time.monotonic() < end
    time.sleep(0.01)
time.sleep(0.2)

def used(joules):
    global total
    total += joules
    library.fake_nvml_set(b"energy_mj", str(total * 1000).encode())

total = 1000
used(0)
with genai_otel.inference("chat", provider="vllm", model="alone"):
    used(12)
with genai_otel.inference("chat", provider="transformers", model="first"):
    with genai_otel.inference("chat", provider="vllm", model="elsewhere", url="http://127.0.0.1:9"):
        used(4)
with genai_otel.inference("chat", provider="openai", model="hosted"):
    used(4)
library.fake_nvml_set(b"fail.nvmlDeviceGetTotalEnergyConsumption", b"3")
with genai_otel.inference("chat", provider="vllm", model="unknown"):
    pass
"""


@pytest.mark.process
@pytest.mark.parametrize("gpus", [1, 2])
def test_the_span_of_a_call_has_the_energy_of_its_gpus(nvml: FakeNvml, gpus: int) -> None:
    nvml.set(gpus=gpus)
    with HttpSink() as sink:
        environ = {**sink.environment(), **nvml.environment(GENAI_OTEL_GPU_ENERGY="on")}
        run(CALLS, env=environ, launcher=STRICT).ok()
        told = {
            span.attributes["gen_ai.request.model"]: (
                span.attributes.get("genai_otel.energy.joules"),
                span.attributes.get("genai_otel.energy.method"),
            )
            for span in sink.spans()
        }
    nobody = (None, None)
    assert told.pop("elsewhere", nobody) == nobody  # part of the call around it
    assert told == {
        "alone": (12 * gpus, "exclusive"),
        "first": (4 * gpus, "exclusive"),
        "hosted": nobody,
        "unknown": nobody,
    }


@pytest.mark.process
def test_without_the_wish_no_call_asks_for_energy(nvml: FakeNvml) -> None:
    script = """
    import ctypes
    import genai_otel
    genai_otel.setup()
    with genai_otel.inference("chat", provider="vllm", model="m"):
        pass
    assert ctypes.CDLL("libnvidia-ml.so.1").fake_nvml_calls(b"") == 0
    """
    run(script, env=nvml.environment(OTEL_TRACES_EXPORTER="none"), launcher=STRICT).ok()


@pytest.mark.process
def test_emissions_follow_the_energy_and_the_operators_intensity(nvml: FakeNvml) -> None:
    nvml.set(energy_mj=3_600_000_000)  # a kilowatt-hour
    with serve(nvml, GENAI_OTEL_GPU_CO2E_PER_KWH="380.5") as process:
        families = scraped_until(port_of(process), "genai_otel_co2e_grams")
        assert values(families, "genai_otel_co2e_grams") == {("GPU 0",): pytest.approx(380.5)}
    with serve(nvml) as process:
        port = port_of(process)
        assert "genai_otel_co2e_grams" not in scraped_until(port, "hw_power_watts")
