"""A deterministic assistant for the tests of the chat page: what it does follows from the words asked.

`France` abstains, `quote` quotes, `hostile` answers from a poisoned paper, `fail` and `crash` raise,
a question with `it` is rewritten; everything else is answered, and `slowly` takes its time.
`FakeLibrary` is the page's library over it. Run as a script it serves the page.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from rag.errors import GenerationFailed, IndexBusy
from rag.index.build import IngestReport
from rag.settings import Settings
from rag.types import (
    Abstention,
    Answer,
    Citation,
    DraftToken,
    DroppedSentence,
    Event,
    Finished,
    Paper,
    Passage,
    Question,
    Quote,
    Sentence,
    StageStarted,
    Timings,
    Trace,
    Turn,
)
from rag.ui.state.library import DEFAULT, AssistantChoice, CollectionInfo

CARRYING = "It reaches 9.1times higher throughput at sequence length 4K."
ABSTRACT = f"We introduce Mixer, a fast layer. {CARRYING} Code is at https://example.org/mixer ."
HOSTILE = (
    "<script>window.hurt=1</script><img src=x onerror=window.hurt=2>"
    "![pixel](http://evil.invalid/px.png) [press](javascript:window.hurt=3) ${window.hurt=4}"
    " {{constructor}} $$\\href{http://evil.invalid/tex}{x}$$ <http://evil.invalid/auto>"
    " http://evil.invalid/bare `code` **bold** </div></mark><style>*{display:none}</style>"
)
PAPERS = (
    Paper("p1", "Mixer: a Layer in Linear Time", ABSTRACT, 2023, "https://arxiv.org/abs/1", "NeurIPS"),
    Paper("p2", "Attention Without Tears", "Attention is slow. We make it 2 times faster.", 2021),
    Paper("p3", "A Survey of Layers", "Layers are many. " * 30, 2020, "javascript:alert(1)"),
)
POISONED = Paper("p9", HOSTILE, f"{HOSTILE} We find it. {HOSTILE}", 2024, "https://evil.invalid/paper")


class FakeStore:
    """A vector per paper, by its place among them: neighbours are alike."""

    def __init__(self, papers: Sequence[Paper]) -> None:
        self._ids = [f"{paper.paper_id}#a0" for paper in papers]

    def ids(self) -> list[str]:
        return list(self._ids)

    def vectors(self, ids: Sequence[str]) -> np.ndarray:
        angles = np.array([self._ids.index(chunk_id) for chunk_id in ids], dtype=np.float32) / len(self._ids)
        return np.stack([np.cos(angles), np.sin(angles), angles * 0], axis=1).astype(np.float32)


class FakeIndex:
    def __init__(self, papers: Sequence[Paper]) -> None:
        self._papers = sorted(papers, key=lambda paper: paper.paper_id)
        self.store = FakeStore(self._papers)

    def all_papers(self) -> Iterator[Paper]:
        return iter(self._papers)


class ChatAssistant:
    """Streams slowly enough to be watched."""

    def __init__(self, *, token_s: float = 0.0, papers: Sequence[Paper] | None = None) -> None:
        self.histories: list[tuple[Turn, ...]] = []
        self.papers_count = 159 if papers is None else len(papers)
        self.index = FakeIndex(PAPERS if papers is None else papers)
        self.fingerprint = "f" * 16
        self._token_s = token_s

    def search(self, query: str, k: int = 10) -> list[Passage]:
        words = query.lower().split()
        papers = [p for p in self.index.all_papers() if all(word in p.title.lower() for word in words)]
        return list(found(*papers))[:k]

    def answer_many(self, questions: Iterable[Question]) -> Iterator[Answer]:
        for question in questions:
            time.sleep(4 * self._token_s)
            yield answer_to(question.text)

    def stream(self, question: str, history: Sequence[Turn] = ()) -> Iterator[Event]:
        self.histories.append(tuple(history))
        yield StageStarted("searching", 0.0)
        time.sleep(self._token_s)
        yield StageStarted("reading", self._token_s)
        if "fail" in question:
            raise GenerationFailed("The generator broke <b>down</b>.", hint="Ask again.")
        if "crash" in question:
            raise RuntimeError("not an error of Citewise")
        if "France" not in question:
            yield StageStarted("writing", 2 * self._token_s)
            for word in draft_of(question).split(" "):
                time.sleep(self._token_s)
                yield DraftToken(f"{word} ")
        yield StageStarted("checking", 20 * self._token_s)
        yield Finished(answer_to(question))


def draft_of(question: str) -> str:
    """The unchecked words the model writes."""
    told = f"{HOSTILE} " if "hostile" in question else ""
    more = "And so on, and so on. " * 20 if "slowly" in question else ""
    return f"{told}Mixer is said to be 2.5x faster, and it won every prize [1]. {more}"


def answer_to(question: str) -> Answer:
    """The verified answer."""
    common = {"question": question, "timings": Timings(total_s=1.25)}
    if "France" in question:
        closest = tuple(paper.title for paper in PAPERS[:2])
        refusal = Abstention("no_evidence", "Nothing in this collection bears on it.", closest)
        return Answer(
            standalone_question=question,
            status="abstained",
            text=refusal.message,
            confidence=0.03,
            abstention=refusal,
            passages=found(*PAPERS),
            **common,
        )
    paper = POISONED if "hostile" in question else PAPERS[0]
    sentence = "We find it." if "hostile" in question else CARRYING
    start = paper.abstract.index(sentence)
    quote = Quote(sentence, start, start + len(sentence))
    text = "Mixer reaches 9.1x higher throughput at 4K [1]."
    if "hostile" in question:
        text = f"{HOSTILE} [1] [7]"
    elif "quote" in question:
        text = f"{paper.title}: “{sentence}” [1]"
    dropped = DroppedSentence(f"It won every prize. {question}", "prize is not in the evidence", 0.1)
    return Answer(
        standalone_question=question.replace(" it ", " Mixer "),
        status="quoted" if "quote" in question else "answered",
        text=text,
        confidence=0.91,
        sentences=(Sentence(text, (1,), 0.93),),
        citations=(Citation(1, paper.paper_id, paper.title, (quote,), paper.url, paper.year),),
        passages=found(paper, *PAPERS[1:]),
        trace=Trace(dropped=(dropped,)),
        **common,
    )


def found(*papers: Paper) -> tuple[Passage, ...]:
    """Papers as passages, best first."""
    return tuple(Passage(paper, rank, 1 / rank) for rank, paper in enumerate(papers, 1))


Opener = Callable[[Callable[[str, int, int], None]], ChatAssistant]


class FakeLibrary:
    """Collections in memory; the default one is opened by `opener`."""

    ships = True

    def __init__(self, opener: Opener | None = None, *, token_s: float = 0.0) -> None:
        self.settings = Settings.load(data_dir=Path(tempfile.mkdtemp(prefix="citewise-chat-")))
        self.opened: list[AssistantChoice] = []
        self._token_s = token_s
        self._opener = opener or (lambda _: ChatAssistant(token_s=token_s))
        self._added: dict[str, tuple[Paper, ...]] = {}

    def default(self) -> AssistantChoice:
        return AssistantChoice(DEFAULT, 8, False, "smollm2-135m-instruct")

    def collections(self) -> list[CollectionInfo]:
        added = [CollectionInfo(name, name, len(papers)) for name, papers in self._added.items()]
        return [CollectionInfo(DEFAULT, "Shipped papers", 159), *added]

    def generators(self) -> list[str]:
        return ["smollm2-135m-instruct", "none"]

    def version(self, collection: str) -> str | None:
        return str(len(self._added.get(collection, ())))

    def open(self, choice: AssistantChoice, progress: Callable[[str, int, int], None]) -> ChatAssistant:
        self.opened.append(choice)
        if choice.collection == DEFAULT:
            return self._opener(progress)
        return ChatAssistant(token_s=self._token_s, papers=self._added[choice.collection])

    def add(
        self, papers: Sequence[Paper], collection: str, progress: Callable[[str, int, int], None]
    ) -> IngestReport:
        if collection == "busy":
            raise IndexBusy("another process is writing this collection", hint="Wait.")
        progress("embedding", len(papers), len(papers))
        self._added[collection] = (*self._added.get(collection, ()), *papers)
        return IngestReport(len(papers), 0, 0, 0, (), len(self._added[collection]))


if __name__ == "__main__":
    import uvicorn

    from rag.ui.server import build_app

    port, token_s = int(sys.argv[1]), float(sys.argv[2])
    app = build_app(FakeLibrary(token_s=token_s))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")
