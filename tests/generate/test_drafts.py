"""What the generator is asked and what comes back (the whole prompt: test_golden_prompt.py)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fakes import FakeChatModel
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult, LLMResult

import prompts
from rag.errors import GenerationFailed, ModelCorrupt, PromptError
from rag.generate.drafts import STOP, write_in_pieces, write_together
from rag.generate.prompt import draft_messages, evidence_block
from rag.types import Evidence, Paper

ONE = Paper("1", "First [2]", "Alpha is 5. Beta [3] is 6.")
TWO = Paper("2", "Second", "Delta falls.")
ALPHA, BETA, DELTA = Evidence(1, ONE, 0, 11, 0.5), Evidence(1, ONE, 12, 26, 0.9), Evidence(2, TWO, 0, 12, 0.7)
ASKED = [HumanMessage("What is Alpha?")]


class Blocks(BaseChatModel):
    """Content as a list of blocks, as some providers send it; `stops` keeps what it was told."""

    stops: list[list[str] | None] = []  # noqa: RUF012 - a field of pydantic

    @property
    def _llm_type(self) -> str:
        return "blocks"

    def _generate(self, messages: Any, stop: list[str] | None = None, *_: Any, **__: Any) -> ChatResult:
        self.stops.append(stop)
        message = AIMessage([{"type": "text", "text": " Alpha "}, {"type": "text", "text": "is 5. \n"}])
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self, messages: Any, stop: list[str] | None = None, *_: Any, **__: Any
    ) -> Iterator[ChatGenerationChunk]:
        self.stops.append(stop)
        for text in (" Alpha ", "is 5. \n"):
            yield ChatGenerationChunk(message=AIMessageChunk([{"type": "text", "text": text, "index": 0}]))


def test_a_line_a_paper_in_the_order_of_keys_and_of_the_abstract() -> None:
    assert evidence_block([BETA, DELTA, ALPHA]) == (
        "[1] First ［2］: Alpha is 5. Beta ［3］ is 6.\n[2] Second: Delta falls."
    )
    assert evidence_block([]) == ""


def test_a_broken_prompt_is_our_error(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = prompts.PromptFileError("prompt 'draft_user': gone")

    def load(name: str) -> None:
        raise broken

    monkeypatch.setattr(prompts, "load", load)
    with pytest.raises(PromptError, match="'draft_user': gone") as caught:
        draft_messages("What is Alpha?", [ALPHA])
    assert caught.value.__cause__ is broken
    assert "prompts/" in caught.value.hint


def test_no_conversation_asks_no_model() -> None:
    model = FakeChatModel([])
    assert write_together(model, []) == []
    assert model.prompts == []


def test_drafts_come_in_order_and_without_white_space_around() -> None:
    model = FakeChatModel([" one\n", "two", ""])
    assert write_together(model, [ASKED, ASKED, ASKED]) == ["one", "two", ""]
    assert model.prompts == [ASKED] * 3


def test_blocks_are_text_and_both_ways_are_told_where_to_stop() -> None:
    model = Blocks(stops=[])
    (together,) = write_together(model, [ASKED])
    pieces = [piece for piece in write_in_pieces(model, ASKED) if piece]
    assert pieces == [" Alpha ", "is 5. \n"]
    assert "".join(pieces).strip() == together == "Alpha is 5."
    assert model.stops == [list(STOP)] * 2


@pytest.mark.parametrize("exc", [ConnectionError("refused"), ValueError("429"), KeyError("choices")])
def test_any_error_of_a_model_becomes_ours(exc: Exception) -> None:
    for write in (
        lambda model: write_together(model, [ASKED]),
        lambda model: list(write_in_pieces(model, ASKED)),
    ):
        with pytest.raises(GenerationFailed) as caught:
            write(FakeChatModel([exc]))
        assert caught.value.__cause__ is exc
        assert f"{type(exc).__name__}: {exc}" in caught.value.message
        assert "CITEWISE_GENERATOR=none" in caught.value.hint


def test_our_own_errors_stay_what_they_are() -> None:
    ours = ModelCorrupt("weights differ", hint="Install them again.")
    with pytest.raises(ModelCorrupt) as caught:
        write_together(FakeChatModel([ours]), [ASKED])
    assert caught.value is ours
    with pytest.raises(ModelCorrupt) as caught:
        list(write_in_pieces(FakeChatModel([ours]), ASKED))
    assert caught.value is ours


def test_an_endpoint_that_sends_no_choice_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeChatModel, "generate", lambda *_, **__: LLMResult(generations=[[]]))
    with pytest.raises(GenerationFailed):
        write_together(FakeChatModel([]), [ASKED])


def test_what_was_written_before_the_break_was_yielded() -> None:
    class Breaking(FakeChatModel):
        def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
            yield from super()._stream(*args, **kwargs)
            raise ConnectionError("reset")

    told: list[str] = []
    with pytest.raises(GenerationFailed, match="reset"):
        told.extend(write_in_pieces(Breaking(["Alpha is 5."]), ASKED))
    assert "".join(told) == "Alpha is 5."


def test_a_reader_may_stop_early() -> None:
    pieces = write_in_pieces(FakeChatModel(["Alpha is 5."]), ASKED)
    assert next(pieces) == "Alpha"
    pieces.close()  # type: ignore[attr-defined]
    assert list(pieces) == []
