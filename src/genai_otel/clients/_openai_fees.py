"""What OpenAI bills by the call beside tokens: searches that its models make by themselves."""

from __future__ import annotations

from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients._fields import kinds
from genai_otel.clients._parts import get, items
from genai_otel.spec import Facts

_BILLED: Final = {
    "web_search_call": semconv.USAGE_WEB_SEARCHES,
    "file_search_call": semconv.USAGE_FILE_SEARCHES,
}


def in_response(facts: Facts, result: Any) -> None:
    """How often a response searched.

    To open a page that was found, or to look for something on it, costs tokens alone.  A container in which code ran is
    billed by its time, whichever responses share it: no response tells of that.
    """
    output = items(getattr(result, "output", None))
    if _BILLED.keys().isdisjoint(kinds(output)):
        return
    for item in output:
        name = _BILLED.get(get(item, "type"))
        if name is not None and _is_billed(item):
            facts[name] = facts.get(name, 0) + 1


def _is_billed(item: Any) -> bool:
    return get(item, "status") in ("completed", None) and get(get(item, "action"), "type") in ("search", None)
