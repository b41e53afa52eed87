"""The contract suite for every model client, oldest and newest: `python -m tests.clients [pytest arguments]`.

One environment per lock, one process of pytest in each, a table at the end.  A payload file that no environment runs is
an error, so that a client cannot be left out by accident.  `CLIENTS_IN=clients-floor` chooses environments.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAYLOADS = sorted(path.stem for path in (ROOT / "tests" / "contract" / "payloads").glob("[a-z]*.py"))
# Half of the suite waits; four workers are quicker than two also where there are two cores.
PYTEST = ("-m", "pytest", "-q", "-n", "4", "--dist", "worksteal")
ELSEWHERE = {"openai": "make test, make test-floors"}
"""Clients with which other targets run the whole suite."""

# What cannot be installed together has an environment of its own.
ALONE = {
    "aiobotocore": ("aiobotocore",),
    "aiobotocore-floor": ("aiobotocore",),
    "ibm-watsonx-ai": ("ibm_watsonx_ai",),
    "ibm-watsonx-ai-floor": ("ibm_watsonx_ai",),
    "litellm": ("litellm",),
    "litellm-floor": ("litellm",),
}
TOGETHER = tuple(name for name in PAYLOADS if name not in ELSEWHERE and name not in sum(ALONE.values(), ()))
# Models that run in the process itself need what they run on: `make test-engines`.
_TORCH = ("sentence_transformers", "transformers")
_LLAMA = ("llama_cpp",)
ENGINES = {
    "engines": _TORCH,
    "engines-floor": _TORCH,
    "llama-cpp": _LLAMA,
    "llama-cpp-floor": _LLAMA,
    "vllm": ("vllm",),
    "vllm-floor": ("vllm",),
}
CLIENTS: dict[str, tuple[str, ...]] = {"clients": TOGETHER, "clients-floor": TOGETHER, **ALONE}
ENVIRONMENTS = {**CLIENTS, **ENGINES}
# There is no wheel of llama-cpp-python.  Without its parts for images, without a library that it does not load, and
# without optimization, which a model of a few thousand numbers does not need, it takes a minute to build, not six.
_OFF = ("LLAVA_BUILD=OFF", "GGML_NATIVE=OFF", "GGML_OPENMP=OFF")
_PLAIN = ("CMAKE_C_FLAGS_RELEASE=-O0", "CMAKE_CXX_FLAGS_RELEASE=-O0")
_HOOK = f"CMAKE_PROJECT_llama.cpp_INCLUDE_BEFORE={ROOT}/requirements/llama-cpp.cmake"
BUILD = {"CMAKE_ARGS": " ".join(f"-D{option}" for option in (*_OFF, *_PLAIN, _HOOK))}
GIGABYTES = 8
"""Of free disk, for an environment with torch where nothing is in the cache yet."""
SECONDS = 900
"""For an environment to be made."""


def lacking(lock: str) -> str:
    """What this machine has not that the environment of ``lock`` needs; empty where it has all."""
    if ENGINES.get(lock) == _LLAMA and not (shutil.which("c++") or shutil.which("g++")):
        return "a C++ compiler, with which llama-cpp-python is built"
    if lock in ENGINES and shutil.disk_usage(ROOT).free < GIGABYTES * 1e9:
        return f"{GIGABYTES} GB of free disk"
    return ""


def run(lock: str, clients: Sequence[str], arguments: Sequence[str]) -> str:
    """What pytest's closing line said, or what went wrong before it."""
    lacks = lacking(lock)
    if lacks:
        return f"NOT RUN: this machine has not {lacks}"
    folder = f".venvs/{lock}"
    try:
        made = subprocess.run(
            [sys.executable, "requirements/install.py", folder, lock],
            check=False,
            cwd=ROOT,
            env={**BUILD, **os.environ},
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"FAILED to install in {SECONDS} s"
    if made.returncode:
        return "FAILED to install"
    # Each remembers by itself what failed last.
    kinds = "contract or golden" if lock == "clients" else "contract"  # recorded with the newest clients
    cache = ("-o", f"cache_dir={folder}/.pytest_cache")
    # Other folders import what only the environments of their own have.
    options = ("-m", kinds, *cache, "tests/contract", *(("tests/golden",) if lock == "clients" else ()))
    if lock in ENGINES:  # in one process: each needs a minute to load what it runs on
        options = ("-n", "0", *cache, "tests/engines")
    done = subprocess.run(
        [str(ROOT / folder / "bin" / "python"), *PYTEST, *options, *arguments],
        check=False,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "ENGINES" if lock in ENGINES else "CONTRACT_CLIENTS": " ".join(clients)},
    )
    if done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED and "--last-failed" in arguments:
        return "nothing had failed"
    if done.returncode:
        print(done.stdout, flush=True)
    closing = (done.stdout.strip().splitlines() or ["pytest printed nothing"])[-1].strip("= ")
    return closing if done.returncode == 0 else f"FAILED {closing}"


def main(arguments: Sequence[str]) -> int:
    chosen = os.environ.get("CLIENTS_IN", "").replace(",", " ").split() or list(CLIENTS)
    results = {lock: run(lock, ENVIRONMENTS[lock], arguments) for lock in chosen}
    print("\nenvironment      clients")
    for lock, result in results.items():
        print(f"{lock:15}  {', '.join(ENVIRONMENTS[lock])}\n{'':15}  {result}")
    return 1 if any(result.startswith("FAILED") for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
