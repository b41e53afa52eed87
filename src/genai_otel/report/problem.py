"""What keeps a report from being made, in one sentence for whoever asked for it."""

from __future__ import annotations


class Problem(Exception):
    """The message is the sentence that the command prints."""
