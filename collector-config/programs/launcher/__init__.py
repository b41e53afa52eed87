"""Starts what compose.yaml describes without a container engine: the same commands, configs and ports.

Needs Python 3.10 and PyYAML, which reads compose.yaml, and nothing of genai-otel: a copy of this folder runs anywhere.
"""


class Failed(Exception):
    """Something cannot be done; the message is for the person at the terminal and says what to do."""


def say(line: str) -> None:
    """Tell the person at the terminal."""
    print(f"[stack] {line}", flush=True)
