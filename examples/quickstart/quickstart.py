"""One answer and one streamed answer, traced: `python examples/quickstart/quickstart.py`.

With OPENAI_API_KEY set it talks to OpenAI; without it, to a model server on this machine.  With
OTEL_EXPORTER_OTLP_ENDPOINT set the telemetry goes there; without it, to this terminal.
"""

import os
from contextlib import ExitStack

from openai import OpenAI

import genai_otel
from genai_otel.testing import ModelServer

MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")


def main() -> None:
    genai_otel.setup()
    with ExitStack() as stack:
        if os.environ.get("OPENAI_API_KEY"):
            client = stack.enter_context(OpenAI())
        else:
            server = stack.enter_context(ModelServer())
            client = stack.enter_context(OpenAI(base_url=server.base_url, api_key="none needed"))

        answer = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "Say hello in five words."}]
        )
        print(answer.choices[0].message.content)

        stream = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "Count to five."}], stream=True
        )
        for chunk in stream:
            for choice in chunk.choices:
                print(choice.delta.content or "", end="", flush=True)
        print()


if __name__ == "__main__":
    main()
