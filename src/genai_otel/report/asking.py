"""Questions to servers that answer in JSON over HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from genai_otel.report.problem import Problem

_SECONDS: Final = 60.0
_MOST_SAID: Final = 200


def is_url(text: str) -> bool:
    return text.startswith(("http://", "https://"))


def ask(base: str, path: str, **parameters: str | int) -> Mapping[str, Any]:
    """The object that a server answers with.

    :raises Problem: nobody answers, or not with an object.
    """
    address = f"{base.rstrip('/')}{path}" + (f"?{urlencode(parameters)}" if parameters else "")
    request = Request(address, headers={"Accept": "application/json"})  # noqa: S310 - is_url() let no other scheme in
    try:
        with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - the same
            found = json.load(answer)
    except HTTPError as error:
        with error:
            raise Problem(f"{base} answered {path} with {error.code}{_said(error)}") from error
    except ValueError as error:
        raise Problem(f"{base} answered {path} with something else than JSON") from error
    except (OSError, HTTPException) as error:
        raise Problem(f"{base} cannot be reached: {getattr(error, 'reason', None) or error}") from error
    if not isinstance(found, dict):
        raise Problem(f"{base} answered {path} with something else than an object")
    return found  # pyright: ignore[reportUnknownVariableType] - what is inside is looked at where it is used


def _said(error: HTTPError) -> str:
    """The reason that Prometheus and Jaeger give in the body of an error."""
    try:
        body = json.loads(error.read())
        reason = body.get("error") or body["errors"][0]["msg"]
    except (ValueError, LookupError, AttributeError, TypeError, OSError):
        return ""
    return f": {str(reason)[:_MOST_SAID]}"
