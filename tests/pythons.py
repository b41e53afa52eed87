"""The quick suite on the other Pythons of this machine: `python -m tests.pythons [VERSION ...] [pytest arguments]`.

One environment per version, from the same lock; a table at the end says what was run and what was not found.  The
Python that runs this is left to `make test`.  A version that is named is run alone, and whole.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.13t", "3.14", "3.14t")
# What breaks on a Python breaks on its neighbour: between an old and a new one that get everything, the half that
# waits for other processes is left out.
IN_PART = {"3.12": ("tests/contract", "tests/unit")}
# It counts bytecodes, slowly, as a yardstick of the code; one Python is enough for that.
ELSEWHERE = "--ignore=tests/unit/test_bytecode_gate.py"
PYTEST = ("-m", "pytest", "-n", "auto", "--maxprocesses", "4", "--dist", "worksteal")
THIS = "{}.{}".format(*sys.version_info) + ("t" if sysconfig.get_config_var("Py_GIL_DISABLED") else "")


def candidates(version: str) -> Iterator[str]:
    """Interpreters of one version: on the path, or put aside by a version manager."""
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield on_path
    managed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    free_threaded = version.endswith("t")
    for folder in sorted(managed.glob(f"{version.rstrip('t')}.*"), reverse=True):
        if folder.name.endswith("t") == free_threaded:
            yield str(folder / "bin" / "python")


def find(version: str) -> str | None:
    for python in candidates(version):
        # A version manager's stand-in may be on the path for a Python that is not there.
        try:
            if subprocess.run([python, "-c", ""], check=False, capture_output=True).returncode == 0:
                return python
        except OSError:
            continue
    return None


def run(version: str, python: str, arguments: list[str]) -> str:
    """What pytest's closing line said, or what went wrong before it."""
    folder = f".venvs/{version}"
    made = subprocess.run([python, "requirements/install.py", folder, "dev"], check=False, cwd=ROOT)
    if made.returncode:
        return "FAILED to install"
    ran = ROOT / folder / "ran"
    again = "--last-failed" in arguments
    if again and not ran.exists():
        # The last run did not get here, or not to its end: nobody knows what failed.
        again, arguments = False, [*IN_PART.get(version, ())]
    ran.unlink(missing_ok=True)
    # Each remembers by itself what failed last.
    options = ("-q", "-m", "not slow", "-o", f"cache_dir={folder}/.pytest_cache", ELSEWHERE)
    command = [str(ROOT / folder / "bin" / "python"), *PYTEST, *options, *arguments]
    done = subprocess.run(command, check=False, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        ran.touch()
    if again and done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED:
        ran.touch()
        return "nothing had failed"
    if done.returncode:
        print(done.stdout, flush=True)
    closing = (done.stdout.strip().splitlines() or ["pytest printed nothing"])[-1].strip("= ")
    return closing if done.returncode == 0 else f"FAILED {closing}"


def main(arguments: list[str]) -> int:
    named = [argument for argument in arguments if argument in VERSIONS]
    others = [argument for argument in arguments if argument not in VERSIONS]
    results: dict[str, str] = {}
    for version in named or VERSIONS:
        part = () if named else IN_PART.get(version, ())
        if version == THIS:
            results[version] = "this one: see make test"
        elif python := find(version):
            result = run(version, python, [*part, *others])
            results[version] = f"{result} ({', '.join(part)})" if part else result
        else:
            results[version] = "not found, not run"
    print("\nPython  quick suite")
    for version, result in results.items():
        print(f"{version:6}  {result}")
    return 1 if any(result.startswith("FAILED") for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
