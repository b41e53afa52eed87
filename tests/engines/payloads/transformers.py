"""Transformers: a decoder, an encoder-decoder and an encoder, by hand and in pipelines."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.engines import models
from tests.engines.engine import CANARY, LENGTH, Case, Engine

# Not imported by name: types are checked where these libraries, which take gigabytes, are not installed.
torch: Any = import_module("torch")
transformers: Any = import_module("transformers")


def _make(folder: Path) -> Any:
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.manual_seed(1)
    # All of one name, so that one table serves all cases.
    decoder, encoder = (
        models.decoder(folder / "a" / "tiny"),
        models.encoder(folder / "b" / "tiny"),
    )
    return SimpleNamespace(
        model=transformers.AutoModelForCausalLM.from_pretrained(decoder),
        tokenizer=transformers.AutoTokenizer.from_pretrained(decoder, padding_side="left"),
        text=transformers.pipeline("text-generation", model=decoder),
        features=transformers.pipeline("feature-extraction", model=encoder),
    )


GREEDY: Any = {"do_sample": False, "max_new_tokens": 6}
CHAT = [{"role": "system", "content": CANARY}, {"role": "user", "content": "and?"}]


def _generate(made: Any) -> Any:
    inputs = made.tokenizer([CANARY, "hi"], return_tensors="pt", padding=True)
    return made.model.generate(**inputs, **GREEDY)


def _asked(tokens: int, answers: int = 1) -> dict[str, Any]:
    return {
        "gen_ai.request.max_tokens": 6,
        "gen_ai.usage.input_tokens": tokens,
        "gen_ai.usage.output_tokens": ...,
        "gen_ai.response.finish_reasons": ("length",) * answers,
    }


_VECTORS = {"gen_ai.embeddings.dimension.count": 32}

ENGINE = Engine(
    name="transformers",
    provider="transformers",
    model="tiny",
    make=_make,
    forget=lambda made: made.model,
    cases=(
        Case(
            "generate",
            _generate,
            _asked(LENGTH + 2, 2),
            "text_completion",
            breaks=lambda made: made.model.generate(torch.zeros(1, 2, dtype=torch.long), no_such=CANARY),
        ),
        Case(
            "pipeline",
            lambda made: made.text(CANARY, **GREEDY),
            _asked(LENGTH),
            "text_completion",
            breaks=lambda made: made.text(CANARY, num_beams=0),
        ),
        Case(
            "pipeline-of-many",
            lambda made: made.text([CANARY, "hi", "you"], **GREEDY),
            _asked(LENGTH + 5, 3),
            "text_completion",
            runs=3,
        ),
        Case(
            "pipeline-in-batches",
            lambda made: made.text([CANARY, "hi", "you"], batch_size=2, **GREEDY),
            _asked(LENGTH + 5, 3),
            "text_completion",
            runs=2,
        ),
        Case("chat", lambda made: made.text(CHAT, **GREEDY), _asked(LENGTH + 4), "chat"),
        Case(
            "features",
            lambda made: made.features(CANARY),
            {**_VECTORS, "gen_ai.usage.input_tokens": LENGTH},
            "embeddings",
        ),
        Case(
            "features-of-many",
            lambda made: made.features([CANARY, "hi"]),
            {**_VECTORS, "gen_ai.usage.input_tokens": LENGTH + 2},
            "embeddings",
        ),
    ),
)
