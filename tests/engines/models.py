"""Models of a few thousand random numbers, written to disk and loaded by the real libraries: nothing is downloaded.

Their tokenizer makes a token of each character, so that a test can count.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

SPECIAL = ["<unk>", "<s>", "</s>"]
CHARACTERS = SPECIAL + [chr(code) for code in range(32, 127)]
BEGIN, END = 1, 2
TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}


def _library() -> Any:
    return import_module("transformers")


def tokenizer() -> Any:
    """A token for each character."""
    tokenizers: Any = import_module("tokenizers")
    vocabulary = {word: number for number, word in enumerate(CHARACTERS)}
    made: Any = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token=SPECIAL[0]))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Split("", "isolated")
    made.decoder = tokenizers.decoders.Fuse()
    return _library().PreTrainedTokenizerFast(
        tokenizer_object=made,
        unk_token=SPECIAL[0],
        bos_token=SPECIAL[1],
        eos_token=SPECIAL[2],
        pad_token=SPECIAL[2],
        chat_template=TEMPLATE,
        model_input_names=["input_ids", "attention_mask"],
    )


def decoder(folder: Path) -> str:
    """A decoder of two layers, with its tokenizer."""
    library = _library()
    config = library.LlamaConfig(
        vocab_size=len(CHARACTERS),
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=BEGIN,
        eos_token_id=END,
        pad_token_id=END,
        **{**SMALL, "hidden_size": 64},  # vLLM has no smaller heads
    )
    return _saved(library.LlamaForCausalLM(config), folder)


def encoder_decoder(folder: Path) -> str:
    """A model that reads all of its input and then writes."""
    library = _library()
    config = library.T5Config(
        vocab_size=len(CHARACTERS),
        d_model=32,
        d_kv=16,
        d_ff=32,
        num_layers=1,
        num_heads=2,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=END,
    )
    return _saved(library.T5ForConditionalGeneration(config), folder)


def encoder(folder: Path, labels: int | None = None) -> str:
    """A model that gives vectors, or scores where it has labels."""
    library = _library()
    shape: Any = {"vocab_size": len(CHARACTERS), "max_position_embeddings": 512, "pad_token_id": END, **SMALL}
    if labels is None:
        return _saved(library.BertModel(library.BertConfig(**shape)), folder)
    return _saved(
        library.BertForSequenceClassification(library.BertConfig(**shape, num_labels=labels)), folder
    )


def _saved(model: Any, folder: Path) -> str:
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return str(folder)
