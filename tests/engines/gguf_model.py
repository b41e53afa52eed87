"""A model of a few thousand random numbers as llama.cpp reads it; a token for each character."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from tests.engines.models import BEGIN, CHARACTERS, END, SPECIAL, TEMPLATE

gguf: Any = import_module("gguf")
np: Any = import_module("numpy")

_SIZE, _LAYERS, _HEADS = 32, 2, 2


def write(path: Path) -> str:
    """Write the model to ``path``."""
    writer: Any = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(512)
    writer.add_embedding_length(_SIZE)
    writer.add_feed_forward_length(_SIZE)
    writer.add_block_count(_LAYERS)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_SIZE // _HEADS)
    writer.add_vocab_size(len(CHARACTERS))
    writer.add_tokenizer_model("llama")
    writer.add_token_list([word.replace(" ", "\N{LOWER ONE EIGHTH BLOCK}") for word in CHARACTERS])
    writer.add_token_scores([0.0] * len(CHARACTERS))
    kinds = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL]
    writer.add_token_types(kinds + [gguf.TokenType.NORMAL] * (len(CHARACTERS) - len(SPECIAL)))
    writer.add_bos_token_id(BEGIN)
    writer.add_eos_token_id(END)
    writer.add_unk_token_id(0)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE)
    _tensors(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return str(path)


def _tensors(writer: Any) -> None:
    random = np.random.default_rng(1)

    def matrix(name: str, *shape: int) -> None:
        writer.add_tensor(f"{name}.weight", random.standard_normal(shape).astype(np.float32))

    def ones(name: str) -> None:
        writer.add_tensor(f"{name}.weight", np.ones(_SIZE, np.float32))

    matrix("token_embd", len(CHARACTERS), _SIZE)
    matrix("output", len(CHARACTERS), _SIZE)
    ones("output_norm")
    for layer in range(_LAYERS):
        block = f"blk.{layer}."
        for name in ("attn_norm", "ffn_norm"):
            ones(block + name)
        for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
            matrix(block + name, _SIZE, _SIZE)
