"""A model client that genai-otel has never heard of: a company's own, over plain HTTP."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any


class Oracle:
    """Asks one model one question at a time."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def ask(self, question: str, *, model: str) -> dict[str, Any]:
        with self._post(question, model, stream=False) as response:
            return json.load(response)

    def murmur(self, question: str, *, model: str) -> Iterator[dict[str, Any]]:
        """The answer word by word."""
        with self._post(question, model, stream=True) as response:
            for line in response:
                if line.startswith(b"data: {"):
                    yield json.loads(line[6:])

    def _post(self, question: str, model: str, *, stream: bool) -> Any:
        said = {"model": model, "messages": [{"role": "user", "content": question}], "stream": stream}
        url = f"{self.base_url}/chat/completions"
        return urllib.request.urlopen(url, json.dumps(said).encode())  # noqa: S310 - the program's own address
