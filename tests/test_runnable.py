"""The assistant and its retriever in a chain of someone else's: every way to run, every stage seen."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fakes import PAPERS, THROUGHPUT, FakeChatModel, assistant_over, built, timeless
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnablePassthrough

from rag.assistant import Assistant
from rag.errors import GenerationFailed
from rag.types import Answer, Finished, Question, Turn

TOLD = "Monarch Mixer reaches 9.1x higher throughput at sequence length 4K [1]."
FOLLOW_UP = Question(
    "And how many fewer parameters does it need?", (Turn("user", "What is Monarch Mixer?"),), "7"
)
STAGES = [
    ("citewise", None),
    ("retrieve", "citewise"),
    ("HybridRetriever", "retrieve"),
    ("FakeChatModel", "citewise"),
    ("verify", "citewise"),
]


class Runs(BaseCallbackHandler):
    """Keeps the name of every run and of the run around it, in the order they begin."""

    def __init__(self) -> None:
        self.names: dict[Any, str] = {}
        self.seen: list[tuple[str, str | None]] = []
        self.ended = 0

    def _begin(self, name: str, run_id: Any, parent_run_id: Any) -> None:
        self.names[run_id] = name
        self.seen.append((name, self.names.get(parent_run_id)))

    def on_chain_start(self, serialized, inputs, *, run_id, parent_run_id=None, **kwargs):
        self._begin(kwargs["name"], run_id, parent_run_id)

    def on_retriever_start(self, serialized, query, *, run_id, parent_run_id=None, **kwargs):
        self._begin(kwargs["name"], run_id, parent_run_id)

    def on_chat_model_start(self, serialized, messages, *, run_id, parent_run_id=None, **kwargs):
        self._begin(serialized["name"], run_id, parent_run_id)

    def on_chain_end(self, *args, **kwargs):
        self.ended += 1

    on_retriever_end = on_llm_end = on_chain_end


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    index = built(tmp_path_factory.mktemp("runnable") / "index")
    return assistant_over(index, generator=FakeChatModel(lambda prompt: TOLD))


@pytest.fixture(scope="module")
def expected(assistant: Assistant) -> Answer:
    return timeless(assistant.ask(THROUGHPUT))


def test_every_way_to_run_gives_the_same_answer(assistant: Assistant, expected: Answer) -> None:
    runnable = assistant.as_runnable()

    async def run() -> list[Answer]:
        streamed = [answer async for answer in runnable.astream(THROUGHPUT)]
        return [await runnable.ainvoke(THROUGHPUT), *await runnable.abatch([THROUGHPUT] * 2), *streamed]

    answers = [runnable.invoke(THROUGHPUT), *runnable.batch([THROUGHPUT] * 2), *runnable.stream(THROUGHPUT)]
    answers += asyncio.run(run())
    assert len(answers) == 8
    assert {timeless(answer) for answer in answers} == {expected}
    assert expected.status == "answered"


def test_a_question_may_have_a_history(assistant: Assistant) -> None:
    answer = assistant.as_runnable().invoke(FOLLOW_UP)
    asked = assistant.ask(FOLLOW_UP.text, FOLLOW_UP.history, question_id="7")
    assert timeless(answer) == timeless(asked)
    assert "Monarch Mixer" in answer.standalone_question
    assert answer.id == "7"


def test_callbacks_see_every_stage(assistant: Assistant) -> None:
    runs = Runs()
    assistant.as_runnable().invoke(THROUGHPUT, {"callbacks": [runs]})
    assert runs.seen == STAGES
    assert runs.ended == len(STAGES)


def test_asynchronous_callbacks_see_every_stage(assistant: Assistant) -> None:
    runs = Runs()
    asyncio.run(assistant.as_runnable().ainvoke(THROUGHPUT, {"callbacks": [runs]}))
    assert runs.seen == STAGES


def test_a_batch_is_seen_question_by_question(assistant: Assistant) -> None:
    runs = Runs()
    assistant.as_runnable().batch([THROUGHPUT] * 3, {"callbacks": [runs], "max_concurrency": 1})
    assert runs.seen == STAGES * 3


def test_events_tell_every_stage(assistant: Assistant, expected: Answer) -> None:
    async def run() -> list[Any]:
        return [event async for event in assistant.as_runnable().astream_events(THROUGHPUT, version="v2")]

    events = asyncio.run(run())
    started = [event["name"] for event in events if event["event"].endswith("_start")]
    ended = [event["name"] for event in events if event["event"].endswith("_end")]
    assert started == [name for name, _ in STAGES]
    assert sorted(ended) == sorted(started)
    assert timeless(events[-1]["data"]["output"]) == expected


def test_streaming_inside_a_chain_is_seen_too(assistant: Assistant, expected: Answer) -> None:
    runs = Runs()

    def last(question: str) -> Answer:
        *_, end = assistant.stream(question)
        assert isinstance(end, Finished)
        return end.answer

    answer = RunnableLambda(last, name="citewise").invoke(THROUGHPUT, {"callbacks": [runs]})
    assert timeless(answer) == expected
    assert runs.seen == STAGES


def test_our_errors_come_through_a_chain(tmp_path) -> None:
    failing = FakeChatModel(lambda prompt: ValueError("no endpoint"))
    broken = assistant_over(built(tmp_path / "index"), generator=failing)
    with pytest.raises(GenerationFailed, match="no endpoint") as caught:
        (broken.as_runnable() | RunnableLambda(lambda answer: answer.text)).invoke(THROUGHPUT)
    assert caught.value.hint


def test_the_answer_in_a_chain_of_someone_elses(assistant: Assistant, expected: Answer) -> None:
    chain = RunnablePassthrough.assign(
        answer=RunnableLambda(lambda given: given["question"]) | assistant.as_runnable()
    ) | RunnableLambda(lambda given: f"{given['answer'].text} ({given['answer'].citations[0].title})")
    said = f"{expected.text} ({expected.citations[0].title})"
    assert chain.invoke({"question": THROUGHPUT}) == said
    assert asyncio.run(chain.ainvoke({"question": THROUGHPUT})) == said


def test_the_retriever_in_a_chain_of_someone_elses(assistant: Assistant) -> None:
    model = FakeChatModel(lambda prompt: prompt)
    prompt = ChatPromptTemplate.from_template("{papers}\n{question}")
    joined = assistant.retriever | RunnableLambda(lambda found: "; ".join(d.metadata["title"] for d in found))
    chain = {"papers": joined, "question": RunnablePassthrough()} | prompt | model | StrOutputParser()
    runs = Runs()
    said = chain.invoke(THROUGHPUT, {"callbacks": [runs]})
    assert said.startswith("Monarch Mixer")
    assert said.endswith(THROUGHPUT)
    assert "HybridRetriever" in [name for name, _ in runs.seen]
    assert asyncio.run(chain.ainvoke(THROUGHPUT)) == said
    assert chain.batch([THROUGHPUT] * 2) == [said, said]
    assert "".join(chain.stream(THROUGHPUT)) == said


def test_the_retriever_asynchronously(assistant: Assistant) -> None:
    found = assistant.retriever.invoke(THROUGHPUT)
    assert asyncio.run(assistant.retriever.ainvoke(THROUGHPUT)) == found
    assert asyncio.run(assistant.retriever.abatch([THROUGHPUT] * 2)) == [found, found]
    assert found[0].id == found[0].metadata["paper_id"] == PAPERS[0].paper_id
    assert found[0].page_content == PAPERS[0].abstract
