"""From what stood to an answer: how sure it is, quotes for what is left untold, composed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.evidence.answerability import AnswerConfidence, final_features
from rag.pipeline import compose
from rag.text.marks import with_marks
from rag.text.names import missing_names
from rag.types import OF_SEVERAL_PAPERS, Abstention, Answer, Draft, Outcome, PreparedQuestion, Sentence, Trace
from rag.verify.grounding import Grounded, by_paper

_SURE = 0.5  # below it is said what speaks against the answer


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The stage. Probabilities and bars are in 0..1; `quote_sentences_max` counts sentences of one answer."""

    confidence: AnswerConfidence
    confident_min: float
    quote_relative_min: float
    quote_sentences_max: int

    def __call__(
        self,
        prepared: PreparedQuestion,
        drafts: Sequence[Draft],
        checked: Sequence[Grounded],
        summary: Sequence[Sentence] = (),
    ) -> Answer:
        """The answer of a prepared question: what stood of the drafts, else quotes, else the abstention.

        :param summary: sentences over several papers, checked.
        """
        if prepared.abstention is not None:
            return _abstained(prepared, prepared.abstention, prepared.confidence)
        kept = [sentence for result in checked for sentence in result.kept]
        outcome = outcome_of(prepared, checked)
        sure = self.confidence.probability(prepared.confidence, outcome)
        trace = _trace(prepared, drafts, checked, outcome)
        if sure < self.confident_min:
            abstention = compose.abstain("low_confidence", prepared.passages)
            return replace(_abstained(prepared, abstention, sure), trace=trace)
        doubt = self.confidence.doubt(prepared.confidence, outcome) if sure < _SURE else ""
        return replace(self._composed(prepared, kept, summary), confidence=sure, doubt=doubt, trace=trace)

    def _composed(
        self, prepared: PreparedQuestion, kept: Sequence[Sentence], summary: Sequence[Sentence]
    ) -> Answer:
        """What stood, and quotes of the papers that are left untold."""
        known = {key for sentence in kept for key in sentence.citations}
        quoted = [] if kept and prepared.kind not in OF_SEVERAL_PAPERS else self._quotes(prepared, known)
        body = sorted([*kept, *quoted], key=lambda s: s.citations[0]) if kept else quoted
        several = len({sentence.citations for sentence in body}) > 1
        best = None if several or not kept else compose.best_beside(kept, prepared.of_paper(min(known)))
        beside = [] if best is None else compose.as_sentences([best])
        sentences, evidence = compose.renumbered([*summary, *body, *beside], prepared.evidence)
        told = sentences[: len(sentences) - len(beside)]
        text = compose.text_of(
            told, evidence, titled=several or prepared.kind != "fact" or not kept, quoted=not kept
        )
        quotes = [with_marks(f"“{s.text}”", s.citations) for s in sentences[len(told) :]]
        return Answer(
            question=prepared.question.text,
            standalone_question=prepared.standalone,
            status="answered" if kept else "quoted",
            text=" ".join([text, *quotes]),
            confidence=prepared.confidence,
            sentences=tuple(sentences),
            citations=compose.citations_for(sentences, evidence),
            passages=prepared.passages,
        )

    def _quotes(self, prepared: PreparedQuestion, told: set[int]) -> list[Sentence]:
        """Quotes of the papers that no kept sentence cites; of a fact those of the best sentence's paper."""
        untold = [item for item in prepared.evidence if item.key not in told]
        if prepared.kind == "fact":
            untold = [item for item in untold if item.key == untold[0].key]
        if not untold:
            return []
        return compose.as_sentences(
            compose.quotes_of(
                untold,
                prepared.kind,
                relative_min=self.quote_relative_min,
                sentences_max=self.quote_sentences_max,
            )
        )


def outcome_of(prepared: PreparedQuestion, checked: Sequence[Grounded]) -> Outcome:
    """What came of a question: of the first paper's reading, and of the surest draft that stood."""
    support = max((sentence.support for one in checked for sentence in one.kept), default=0.0)
    right = max((one.right for one in checked if one.right is not None), default=None)
    papers = {item.key: item.paper for item in prepared.evidence}
    told_first = papers[min(papers)].paper_id if papers else ""
    first = prepared.readings.get(told_first)
    told = " ".join(paper.words for paper in papers.values())
    return Outcome(
        support,
        telling=None if first is None else first.telling,
        right=right,
        missing=missing_names(prepared.standalone, told),
        first=next((p.score for p in prepared.passages if p.paper.paper_id == told_first), 0.0),
        several=len(papers) > 1,
        rests=_rests(prepared, checked),
    )


def _rests(prepared: PreparedQuestion, checked: Sequence[Grounded]) -> float:
    """The mean of `compose.rests` over the papers that something stood on; 0 where nothing did."""
    found = [compose.rests(kept, prepared.of_paper(key)) for key, kept in by_paper(checked).items()]
    return sum(found) / len(found) if found else 0.0


def _abstained(prepared: PreparedQuestion, abstention: Abstention, confidence: float) -> Answer:
    return Answer(
        question=prepared.question.text,
        standalone_question=prepared.standalone,
        status="abstained",
        text=abstention.message,
        confidence=confidence,
        passages=prepared.passages,
        abstention=abstention,
    )


def _trace(
    prepared: PreparedQuestion,
    drafts: Sequence[Draft],
    checked: Sequence[Grounded],
    outcome: Outcome,
) -> Trace:
    return Trace(
        kind=prepared.kind,
        signals=final_features(prepared.confidence, outcome),
        draft="\n".join(draft.text for draft in drafts),
        evidence=prepared.evidence,
        dropped=tuple(dropped for result in checked for dropped in result.dropped),
    )
