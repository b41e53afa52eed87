"""Takes Kafka from Maven Central: a recipe is a folder with pom.xml, the program its jars and a Java of the machine."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from programs.launcher import Failed, programs, say

_COPY = "org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies"


def jars(name: str) -> Path:
    """The folder of a recipe's jars, fetched where they are not there yet: a minute, once.

    Raises `Failed` where Java or Maven is missing, or Maven cannot get them.
    """
    pom = programs.RECIPES / name / "pom.xml"
    place = programs.cache() / f"{name}-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"
    if place.exists():
        return place
    missing = [tool for tool in ("java", "mvn") if not shutil.which(tool)]
    if missing:
        raise Failed(
            f"{' and '.join(missing)} needed for {name}, and not on the path"
            " (Debian, Ubuntu: apt install default-jre-headless maven)"
        )
    say(f"fetching {name} from Maven Central, once")
    unfinished = programs.cache() / f"{name}.{os.getpid()}"  # moved when whole
    shutil.rmtree(unfinished, ignore_errors=True)
    options = ["-DincludeScope=runtime", f"-DoutputDirectory={unfinished}"]
    done = subprocess.run(
        ["mvn", "-q", "-B", "-f", str(pom), _COPY, *options], capture_output=True, text=True, check=False
    )
    if done.returncode:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise Failed(f"{name} could not be fetched: mvn says\n{done.stdout[-2000:]}")
    unfinished.rename(place)
    return place
