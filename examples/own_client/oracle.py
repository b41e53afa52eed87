"""A model client that genai-otel has never heard of: a company's own, over plain HTTP."""

import json
import urllib.request
from typing import Any


class Oracle:
    """Asks one model one question at a time."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def ask(self, question: str, *, model: str = "delphi-1") -> dict[str, Any]:
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": question}]}).encode()
        url, headers = f"{self.base_url}/chat/completions", {"content-type": "application/json"}
        request = urllib.request.Request(url, body, headers)  # noqa: S310 - the program's own address
        with urllib.request.urlopen(request) as response:  # noqa: S310 - likewise
            return json.load(response)
