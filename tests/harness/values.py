"""Strategies for hypothesis: values of JSON, and values of every kind."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.harness.poison import POISON, Data, Model

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=20), inner),
    max_leaves=20,
)  # fmt: skip


def model(parts: list[Any]) -> Model:
    return Model(name="n", parts=parts)


def every_value() -> st.SearchStrategy[Any]:
    leaves = (
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
        | st.text(st.characters(categories=["Cs", "Cc", "Lu"]))
        | st.sampled_from(list(POISON)).map(lambda name: POISON[name])
    )  # fmt: skip
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(), inner)
            | st.builds(Data, st.text(), inner) | st.builds(model, st.lists(inner))
        ),
        max_leaves=20,
    )  # fmt: skip
