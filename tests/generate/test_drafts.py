"""What the generator is asked and what comes back (the whole prompt: test_golden_prompt.py)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fakes import FakeChatModel, texts_of
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult, LLMResult

from rag.errors import GenerationFailed, ModelCorrupt
from rag.generate.drafts import STOP, Drafting, Quoting, write_in_pieces, write_together
from rag.pipeline.compose import abstain
from rag.types import Draft, Evidence, Kind, Paper, PreparedQuestion, Question

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


def prepared(*evidence: Evidence, kind: Kind = "compare", refused: bool = False) -> PreparedQuestion:
    refusal = abstain("no_evidence", ()) if refused else None
    asked = Question("And what of it?")
    return PreparedQuestion(
        asked, "What is Alpha?", kind, (), evidence, 0.5, refusal, texts=texts_of(ONE, TWO)
    )


def test_each_paper_is_asked_by_itself_whole_and_in_the_order_of_keys() -> None:
    first, second = Drafting(FakeChatModel([])).requests(prepared(BETA, DELTA, ALPHA))
    system, user = first.messages
    assert isinstance(system, SystemMessage)
    # marks of the paper's own become others, so that they name no source of ours
    assert user.content == (
        "Title: First ［2］\nAbstract: Alpha is 5. Beta ［3］ is 6.\n\nQuestion: What is Alpha?"
    )
    assert str(second.messages[1].content).startswith("Title: Second\nAbstract: Delta falls.\n\n")
    assert [request.evidence for request in (first, second)] == [(BETA, ALPHA), (DELTA,)]
    assert [request.paper for request in (first, second)] == list(texts_of(ONE, TWO).values())


def test_a_paper_is_read_whole_however_few_of_its_sentences_are_evidence() -> None:
    (alone,) = Drafting(FakeChatModel([])).requests(prepared(BETA))
    assert "Alpha is 5. Beta ［3］ is 6." in str(alone.messages[1].content)
    assert alone.evidence == (BETA,)


def test_where_nothing_is_to_be_told_nothing_is_asked() -> None:
    assert Drafting(FakeChatModel([])).requests(prepared(ALPHA, refused=True)) == []
    assert Drafting(FakeChatModel([])).requests(prepared()) == []


def test_drafts_come_with_the_paper_and_the_evidence_they_were_asked_of() -> None:
    stage = Drafting(FakeChatModel([" Alpha is 5.\n", "Not in this abstract."]))
    requests = stage.requests(prepared(ALPHA, DELTA))
    one, two = texts_of(ONE, TWO).values()
    assert stage.together(requests) == [
        Draft("Alpha is 5.", (ALPHA,), one),
        Draft("Not in this abstract.", (DELTA,), two),
    ]


def test_one_draft_in_pieces_is_asked_as_all_together_are() -> None:
    model = FakeChatModel(["Alpha is 5."] * 2)
    stage = Drafting(model)
    requests = stage.requests(prepared(ALPHA))
    assert "".join(stage.pieces(requests[0])) == stage.together(requests)[0].text == "Alpha is 5."
    assert model.prompts[0] == model.prompts[1]


def test_a_summary_is_asked_of_what_the_papers_say_numbered() -> None:
    model = FakeChatModel(["One says 5, the other 6.", ""])
    said = [("First [2]", "Alpha is 5."), ("Second", "Delta falls.")]
    stage = Drafting(model)
    assert stage.summaries([("What is told?", said), ("Else?", said[:1])]) == ["One says 5, the other 6.", ""]
    assert model.prompts[0][1].content == (
        "[1] First ［2］: Alpha is 5.\n[2] Second: Delta falls.\n\nQuestion: What is told?"
    )
    assert stage.summaries([]) == []
    assert len(model.prompts) == 2


def test_where_nothing_is_written_everything_is_empty() -> None:
    stage = Quoting()
    (request,) = Drafting(FakeChatModel([])).requests(prepared(ALPHA))
    assert (stage.writes, Drafting.writes) == (False, True)
    assert stage.requests(prepared(ALPHA)) == stage.together([request]) == list(stage.pieces(request)) == []
    assert stage.summaries([("What?", [("First", "Alpha is 5.")])]) == [""]


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
