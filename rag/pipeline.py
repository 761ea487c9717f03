"""FLOW 1, a question: follow-up, retrieval, evidence, draft, verification, answer.

Every door goes through `prepare` -> (draft) -> `finish`; streaming and batches differ only in how the
drafts are made. Knows the ports (retriever, generator, verifier), not which classes stand behind them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_core.retrievers import BaseRetriever
from numpy.typing import NDArray

import prompts
from rag import compose
from rag.cleaning import clean
from rag.confidence import answer_features, confidence
from rag.evidence import (
    Idf,
    candidates_of,
    kind_with_papers,
    score,
    select,
)
from rag.followup import standalone
from rag.grounding import Grounded, ground
from rag.logistic import LogisticModel
from rag.question import Kind, is_blank, kind_of, normalise
from rag.retriever import passages_from
from rag.settings import Settings
from rag.types import (
    Abstention,
    AbstentionReason,
    Answer,
    DraftToken,
    Event,
    Evidence,
    Finished,
    Paper,
    Passage,
    Question,
    Sentence,
    StageStarted,
    Timings,
    Trace,
)
from rag.verifier import Verifier

# A second paragraph of a small model is never about the question.
STOP = ("\n\n", "\nQuestion:", "\nSources:")
_MESSAGES: dict[AbstentionReason, str] = {
    "empty_question": "There is no question to answer.",
    "empty_collection": "This collection holds no papers yet.",
    "no_evidence": "Nothing in this collection bears on the question.",
    "low_confidence": "The papers found do not seem to answer this question.",
}


@dataclass(frozen=True, slots=True)
class Ports:
    """What the pipeline is given: the parts that can be swapped."""

    retriever: BaseRetriever
    sentence_cosines: Callable[[str, Sequence[Paper]], Sequence[NDArray[np.float32]]]
    idf: Idf
    evidence_model: LogisticModel
    confidence_model: LogisticModel
    verifier: Verifier
    generator: BaseChatModel | None
    count_tokens: Callable[[str], int]
    prefetch: Callable[[Sequence[str]], object]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A question after retrieval: either evidence to draft from, or the reason to abstain."""

    question: Question
    standalone: str
    kind: Kind
    passages: tuple[Passage, ...]
    evidence: tuple[Evidence, ...]
    confidence: float
    abstention: Abstention | None
    started: float
    retrieve_s: float


class Pipeline:
    """One question's way to an `Answer`. Holds no state between questions."""

    def __init__(self, ports: Ports, settings: Settings, fingerprint: str) -> None:
        self._ports = ports
        self._settings = settings
        self.fingerprint = fingerprint

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Answers in order; all drafts of these questions are generated together."""
        self._ports.prefetch([self._standalone(question) for question in questions])
        prepared = [self.prepare(question) for question in questions]
        conversations = [self.conversations(item) for item in prepared]
        began = time.perf_counter()
        drafts = iter(self._drafts([c for row in conversations for c in row]))
        drafted = sum(bool(row) for row in conversations)
        share = (time.perf_counter() - began) / max(drafted, 1)
        return [
            self.finish(item, [next(drafts) for _ in row], Timings(generate_s=share if row else 0.0))
            for item, row in zip(prepared, conversations, strict=True)
        ]

    def stream(self, question: Question) -> Iterator[Event]:
        """The same answer with its stages and its draft on the way; `Finished` comes last."""
        began = time.perf_counter()
        yield StageStarted("searching", 0.0)
        prepared = self.prepare(question)
        yield StageStarted("reading", time.perf_counter() - began)
        drafts: list[str] = []
        writing = time.perf_counter()
        first_token_s = 0.0
        conversations = self.conversations(prepared)
        if conversations:
            yield StageStarted("writing", writing - began)
        for conversation in conversations:
            pieces: list[str] = []
            for chunk in self._generator().stream(conversation, stop=list(STOP)):
                first_token_s = first_token_s or time.perf_counter() - began
                pieces.append(str(chunk.content))
                yield DraftToken(pieces[-1])
            drafts.append("".join(pieces).strip())
            yield DraftToken("\n")
        checking = time.perf_counter()
        yield StageStarted("checking", checking - began)
        timings = Timings(first_token_s=first_token_s, generate_s=checking - writing)
        yield Finished(self.finish(prepared, drafts, timings))

    def prepare(self, question: Question) -> Prepared:
        """Retrieve, score sentences, and decide whether to go on."""
        began = time.perf_counter()
        text = self._standalone(question)
        if is_blank(text):
            return self._refused(question, text, (), "empty_question", began)
        passages = tuple(passages_from(self._ports.retriever.invoke(text)))
        papers = [passage.paper for passage in passages]
        candidates = candidates_of(passages, self._ports.sentence_cosines(text, papers))
        if not candidates:
            return self._refused(question, text, passages, "no_evidence", began)
        idf = self._ports.idf
        scored = score(text, candidates, self._ports.evidence_model, idf)
        features = answer_features(text, passages, scored, idf)
        probability = confidence(features, self._ports.confidence_model)
        if probability < self._settings.answerable_min:
            refused = self._refused(question, text, passages, "low_confidence", began)
            return replace(refused, confidence=probability)
        kind, scored = kind_with_papers(text, kind_of(text), passages, scored)
        evidence = select(
            scored,
            kind,
            sentences_max=self._settings.evidence_sentences_max,
            tokens_max=self._settings.evidence_tokens_max,
            count_tokens=self._ports.count_tokens,
        )
        spent = time.perf_counter() - began
        return Prepared(question, text, kind, passages, tuple(evidence), probability, None, began, spent)

    def _standalone(self, question: Question) -> str:
        """The cleaned question, made to stand alone."""
        limit = self._settings.question_chars_max
        asked = normalise(question.text, chars_max=limit)
        if is_blank(asked):
            return asked
        told = [replace(turn, content=normalise(turn.content, chars_max=limit)) for turn in question.history]
        return normalise(standalone(asked, told), chars_max=limit)

    def conversations(self, prepared: Prepared) -> list[list[BaseMessage]]:
        """What the generator is asked: one conversation, or one per paper; none when quotes will do."""
        if prepared.abstention or self._ports.generator is None or self._settings.strict:
            return []
        if prepared.kind == "find":
            return []
        if prepared.kind == "fact":
            return [draft_messages(prepared.standalone, prepared.evidence)]
        keys = dict.fromkeys(item.key for item in prepared.evidence)
        return [
            draft_messages(prepared.standalone, [e for e in prepared.evidence if e.key == key])
            for key in keys
        ]

    def finish(self, prepared: Prepared, drafts: Sequence[str], timings: Timings) -> Answer:
        """Verify the drafts and compose the answer; quote where nothing stood."""
        began = time.perf_counter()
        answer = self._abstained(prepared) if prepared.abstention else self._grounded(prepared, drafts)
        ended = time.perf_counter()
        return replace(
            answer,
            id=prepared.question.id,
            fingerprint=self.fingerprint,
            timings=replace(
                timings,
                retrieve_s=prepared.retrieve_s,
                verify_s=ended - began,
                total_s=prepared.retrieve_s + timings.generate_s + (ended - began),
            ),
        )

    def _grounded(self, prepared: Prepared, drafts: Sequence[str]) -> Answer:
        checked = [
            ground(
                prepared.standalone,
                draft,
                self._evidence_of_draft(prepared, number, len(drafts)),
                self._ports.verifier,
                support_min=self._settings.support_min,
            )
            for number, draft in enumerate(drafts)
        ]
        kept = [sentence for result in checked for sentence in result.kept]
        missing = self._papers_without(prepared, kept) if prepared.kind != "fact" else not kept
        quoted = compose.as_sentences(self._quotes(prepared, kept)) if missing else []
        status = "answered" if kept else "quoted"
        sentences, evidence = compose.renumbered(
            sorted([*kept, *quoted], key=lambda s: s.citations[0]) if kept else quoted,
            prepared.evidence,
        )
        titled = prepared.kind != "fact" or not kept
        return Answer(
            question=prepared.question.text,
            standalone_question=prepared.standalone,
            status=status,  # type: ignore[arg-type]
            text=compose.text_of(sentences, evidence, titled=titled, quoted=not kept),
            confidence=prepared.confidence,
            sentences=tuple(sentences),
            citations=compose.citations_for(sentences, evidence),
            passages=prepared.passages,
            trace=_trace(prepared, drafts, checked),
        )

    def _evidence_of_draft(self, prepared: Prepared, number: int, count: int) -> list[Evidence]:
        """A draft about one of several papers may rest on that paper only."""
        if prepared.kind == "fact" or count == 0:
            return list(prepared.evidence)
        keys = list(dict.fromkeys(item.key for item in prepared.evidence))
        return [item for item in prepared.evidence if item.key == keys[number]]

    def _papers_without(self, prepared: Prepared, kept: Sequence[Sentence]) -> bool:
        told = {key for sentence in kept for key in sentence.citations}
        return any(item.key not in told for item in prepared.evidence)

    def _quotes(self, prepared: Prepared, kept: Sequence[Sentence]) -> list[Evidence]:
        told = {key for sentence in kept for key in sentence.citations}
        untold = [item for item in prepared.evidence if item.key not in told]
        return compose.quotes_of(
            untold,
            prepared.kind,
            relative_min=self._settings.quote_relative_min,
            sentences_max=self._settings.quote_sentences_max,
        )

    def _refused(
        self,
        question: Question,
        text: str,
        passages: tuple[Passage, ...],
        reason: AbstentionReason,
        began: float,
    ) -> Prepared:
        abstention = Abstention(reason, _MESSAGES[reason], compose.closest_titles(passages))
        spent = time.perf_counter() - began
        return Prepared(question, text, "fact", passages, (), 0.0, abstention, began, spent)

    def _abstained(self, prepared: Prepared) -> Answer:
        assert prepared.abstention is not None
        return Answer(
            question=prepared.question.text,
            standalone_question=prepared.standalone,
            status="abstained",
            text=prepared.abstention.message,
            confidence=prepared.confidence,
            passages=prepared.passages,
            abstention=prepared.abstention,
        )

    def _drafts(self, conversations: list[list[BaseMessage]]) -> list[str]:
        if not conversations:
            return []
        result = self._generator().generate(conversations, stop=list(STOP))
        return [row[0].text.strip() for row in result.generations]

    def _generator(self) -> BaseChatModel:
        assert self._ports.generator is not None
        return self._ports.generator


def draft_messages(question: str, evidence: Sequence[Evidence]) -> list[BaseMessage]:
    """The conversation the generator sees: prompts/draft_system.txt and prompts/draft_user.txt, filled."""
    user = prompts.load("draft_user").render({"evidence": evidence_block(evidence), "question": question})
    return [SystemMessage(prompts.load("draft_system").render({})), HumanMessage(user)]


def evidence_block(evidence: Sequence[Evidence]) -> str:
    """'[1] Title: sentence sentence', a paper a line, sentences in abstract order."""
    lines = []
    for key in dict.fromkeys(item.key for item in evidence):
        own = sorted((e for e in evidence if e.key == key), key=lambda e: e.start)
        text = " ".join(clean(item.text) for item in own)
        lines.append(f"[{key}] {clean(own[0].paper.title)}: {text}")
    return "\n".join(lines)


def _trace(prepared: Prepared, drafts: Sequence[str], checked: Sequence[Grounded]) -> Trace:
    return Trace(
        kind=prepared.kind,
        draft="\n".join(drafts),
        evidence=prepared.evidence,
        dropped=tuple(dropped for result in checked for dropped in result.dropped),
    )
