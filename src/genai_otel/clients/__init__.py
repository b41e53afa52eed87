"""The model clients that we know: one declarative file each.

A file is loaded when its client is imported, so what a program does not use costs it nothing.  What must be known
before that stands here.  Loading one imports no client library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from genai_otel.spec import ClientSpec

    SPECS: tuple[ClientSpec, ...]
    """The specs of all of them."""


class Client(NamedTuple):
    """A client before it is imported: the name of its file, and the packages that its calls stand in.

    ``instrumentors`` are the entry point names under which others instrument the same client.
    """

    name: str
    packages: tuple[str, ...]
    instrumentors: tuple[str, ...] = ()

    def load(self) -> ClientSpec:
        """What its file says."""
        return import_module(f"{__name__}.{self.name}").SPEC


CLIENTS: Final = (
    Client("ai21", ("ai21",), ("ai21",)),
    Client("aiobotocore", ("aiobotocore",)),
    Client("anthropic", ("anthropic",), ("anthropic", "genai-anthropic")),
    Client("azure_ai_inference", ("azure.ai.inference",), ("azure-ai-inference", "azure_ai_inference")),
    Client("boto3", ("botocore",), ("bedrock",)),
    Client("cerebras", ("cerebras.cloud.sdk",)),
    Client("cohere", ("cohere",), ("cohere",)),
    Client("fireworks", ("fireworks",)),
    Client(
        "google_genai",
        ("google.genai",),
        ("google_genai", "google-genai", "google_generativeai", "genai-google-genai"),
    ),
    Client("groq", ("groq",), ("groq",)),
    Client("huggingface_hub", ("huggingface_hub",), ("huggingface-hub", "huggingface_hub")),
    Client("ibm_watsonx_ai", ("ibm_watsonx_ai",), ("watsonx", "ibm-watsonx-ai")),
    Client("litellm", ("litellm",), ("litellm",)),
    Client("llama_cpp", ("llama_cpp",)),
    Client("mistralai", ("mistralai", "mistralai_azure", "mistralai_gcp"), ("mistralai",)),
    Client("ollama", ("ollama",), ("ollama",)),
    Client("openai", ("openai",), ("openai", "openai-v2", "openai_v2", "genai-openai")),
    Client("replicate", ("replicate",), ("replicate",)),
    Client("sentence_transformers", ("sentence_transformers",), ("sentence_transformers",)),
    Client("together", ("together",), ("together",)),
    Client("transformers", ("transformers",), ("transformers",)),
    Client("vllm", ("vllm",)),
    Client("voyageai", ("voyageai",), ("voyageai",)),
    Client("writerai", ("writerai",), ("writer", "writerai")),
    Client("xai_sdk", ("xai_sdk",), ("xai-sdk", "xai_sdk", "xai")),
)


def __getattr__(name: str) -> Any:
    if name == "SPECS":
        return tuple(client.load() for client in CLIENTS)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
