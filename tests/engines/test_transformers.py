"""What only Transformers has: streamers, how answers end, layers in layers, pipelines of other tasks."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from genai_otel import semconv
from genai_otel.clients import _transformers_messages as messages
from genai_otel.engine import record
from tests.contract.recorded import Recorded, facts, outcome
from tests.engines import models
from tests.engines.engine import CANARY, LENGTH
from tests.engines.payloads.transformers import ENGINE, GREEDY, torch, transformers

pytestmark = pytest.mark.usefixtures("balanced")

INPUT, OUTPUT, REASONS = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.response.finish_reasons",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return ENGINE.make(tmp_path_factory.mktemp("transformers"))


@pytest.fixture
def ids() -> Any:
    return torch.tensor([[75, 72, 79, 79, 82]])


class Collects(transformers.TextStreamer):
    """Says nothing on the terminal."""

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        pass


@pytest.mark.parametrize("way", ["generate", "pipeline"])
def test_a_streamer_tells_the_first_token_and_gets_its_method_back(
    balanced: Recorded, made: Any, ids: Any, way: str
) -> None:
    streamer = Collects(made.tokenizer)
    if way == "generate":
        made.model.generate(ids, streamer=streamer, **GREEDY)
    else:
        made.text("hello", streamer=streamer, **GREEDY)
    seen = facts(balanced)
    assert seen["gen_ai.request.stream"] is True
    assert seen["genai_otel.stream.chunks"] == seen[OUTPUT]
    assert 0 < seen["gen_ai.response.time_to_first_chunk"] < 60
    assert "put" not in vars(streamer)


def test_a_streamer_that_is_read_in_another_thread(balanced: Recorded, made: Any, ids: Any) -> None:
    streamer = transformers.TextIteratorStreamer(made.tokenizer)
    thread = threading.Thread(
        target=made.model.generate, args=(ids,), kwargs={"streamer": streamer, **GREEDY}
    )
    thread.start()
    assert "".join(streamer).startswith("hello")
    thread.join()
    assert facts(balanced)["genai_otel.stream.chunks"] == facts(balanced)[OUTPUT]


def test_what_a_streamer_raises_is_the_programs(balanced: Recorded, made: Any, ids: Any) -> None:
    class Full(Exception):
        pass

    class Refuses:
        def put(self, value: Any) -> None:
            raise Full

        def end(self) -> None:
            pass

    streamer = Refuses()
    with pytest.raises(Full):
        made.model.generate(ids, streamer=streamer, **GREEDY)
    assert outcome(balanced.span())[0] == "failed"
    assert vars(streamer) == {}


def test_an_answer_ends_with_its_end_token_and_padding_is_no_token(
    balanced: Recorded, made: Any, ids: Any
) -> None:
    both = torch.cat([ids, torch.full_like(ids, 20)])
    whole = made.model.generate(both, **GREEDY)
    end = int(whole[0, ids.shape[1] + 1])  # the first answer's second token shall be its end
    balanced.clear()  # type: ignore[attr-defined]
    made.model.generate(both, eos_token_id=end, pad_token_id=0, **GREEDY)
    seen = facts(balanced)
    first, second = seen[REASONS]
    assert first == "stop"
    assert seen[OUTPUT] == 2 + (6 if second == "length" else list(whole[1, 5:]).index(end) + 1)


def test_a_criterion_of_the_programs_own_stops(balanced: Recorded, made: Any, ids: Any) -> None:
    class AtThree(transformers.StoppingCriteria):
        def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
            return torch.full((input_ids.shape[0],), input_ids.shape[1] >= 8)

    made.model.generate(ids, stopping_criteria=transformers.StoppingCriteriaList([AtThree()]), **GREEDY)
    assert (facts(balanced)[OUTPUT], facts(balanced)[REASONS]) == (3, ("stop",))


def test_settings_are_those_that_count(balanced: Recorded, made: Any, ids: Any) -> None:
    made.model.generate(
        ids,
        do_sample=True,
        temperature=0.5,
        top_p=0.9,
        top_k=7,
        max_new_tokens=3,
        num_return_sequences=2,
        stop_strings=["##"],
        tokenizer=made.tokenizer,
    )
    seen = facts(balanced)
    assert seen["gen_ai.request.temperature"] == 0.5
    assert seen["gen_ai.request.top_p"] == 0.9
    assert seen["gen_ai.request.top_k"] == 7
    assert seen["gen_ai.request.max_tokens"] == 3
    assert seen["gen_ai.request.choice.count"] == 2
    assert seen["gen_ai.request.stop_sequences"] == ("##",)
    assert (seen[INPUT], seen[OUTPUT]) == (5, 6)


def test_an_encoder_decoder_counts_what_it_wrote(balanced: Recorded, tmp_path: Path) -> None:
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(models.encoder_decoder(tmp_path / "t5"))
    result = model.generate(torch.tensor([[75, 72, 79]]), max_new_tokens=4, min_new_tokens=4, do_sample=False)
    assert facts(balanced)[INPUT] == 3
    assert facts(balanced)[OUTPUT] == result.shape[1] - 1 == 4  # it starts with a token that is given


def test_embeddings_in_place_of_tokens(balanced: Recorded, made: Any, ids: Any) -> None:
    vectors = made.model.get_input_embeddings()(ids)
    made.model.generate(inputs_embeds=vectors, **GREEDY)
    assert (facts(balanced)[INPUT], facts(balanced)[OUTPUT]) == (5, 6)


def test_an_assistant_is_no_second_answer(balanced: Recorded, made: Any, ids: Any, tmp_path: Path) -> None:
    small = made.model.from_pretrained(models.decoder(tmp_path / "small"))
    made.model.generate(ids, assistant_model=small, **GREEDY)
    assert (facts(balanced)[INPUT], facts(balanced)[OUTPUT]) == (5, 6)


def test_an_assistant_in_a_pipeline_neither(balanced: Recorded, made: Any, tmp_path: Path) -> None:
    small = made.model.from_pretrained(models.decoder(tmp_path / "small"))
    made.text("hello", assistant_model=small, **GREEDY)
    assert (facts(balanced)[INPUT], facts(balanced)[OUTPUT]) == (5, 6)


def test_each_run_is_a_call_where_the_input_comes_from_a_generator(balanced: Recorded, made: Any) -> None:
    results = made.text((text for text in ("one", "four")), **GREEDY)
    assert balanced.spans() == []
    assert len(list(results)) == 2
    assert sorted(span.attributes[INPUT] for span in balanced.calls()) == [3, 4]


def test_a_pipeline_of_a_task_without_tokens_passes(balanced: Recorded, tmp_path: Path) -> None:
    classify = transformers.pipeline("text-classification", model=models.encoder(tmp_path / "c", labels=2))
    assert classify(CANARY)
    assert balanced.spans() == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("meta-llama/Llama-3", "meta-llama/Llama-3"),
        ("/home/me/models/mine", "mine"),
        ("./mine/", "mine"),
        ("C:\\models\\mine", "mine"),
        ("/c/hub/models--meta-llama--Llama-3/snapshots/0f1e", "meta-llama/Llama-3"),
        ("gpt2", "gpt2"),
        ("", None),
    ],
)
def test_a_model_known_by_a_path_is_named_by_its_last_part(path: str, name: str | None) -> None:
    from genai_otel.clients.transformers import SPEC

    model = SimpleNamespace(config=SimpleNamespace(_name_or_path=path))
    assert SPEC.peer(model).model == name


def test_messages_of_a_chat(made: Any) -> None:
    assert record.active is not None
    chat = [{"role": "user", "content": CANARY}]
    assert messages.CHAT.request({"inputs": chat}) == {
        semconv.INPUT_MESSAGES: [{"role": "user", "parts": [{"type": "text", "content": CANARY}]}]
    }
    (answer,) = messages.CHAT.response(made.text(chat, **GREEDY))[semconv.OUTPUT_MESSAGES]
    assert (answer["role"], len(answer["parts"][0]["content"])) == ("assistant", 6)


def test_messages_of_texts(made: Any) -> None:
    found = messages.TEXT.request({"inputs": [CANARY, "hi"]})[semconv.INPUT_MESSAGES]
    assert [one["parts"][0]["content"] for one in found] == [CANARY, "hi"]
    said = messages.TEXT.response(made.text([CANARY, "hi"], **GREEDY))[semconv.OUTPUT_MESSAGES]
    assert [len(one["parts"][0]["content"]) for one in said] == [LENGTH + 6, 8]
