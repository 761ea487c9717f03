"""From drafts to an answer: verify, quote what is left untold, compose. Pure but for the verifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.evidence.answerability import AnswerConfidence, DraftOutcome, final_features
from rag.generate.prompt import declines
from rag.models.logistic import logit
from rag.pipeline import compose
from rag.pipeline.prepare import PreparedQuestion, abstain
from rag.settings import Settings
from rag.types import Abstention, Answer, Evidence, Sentence, Trace
from rag.verify.grounding import Grounded, ground
from rag.verify.support import Verifier


@dataclass(frozen=True, slots=True)
class Concluding:
    """What a conclusion needs: the verifier, the settings, and how sure one is after writing.

    `reader_asked`: the drafts are of a reader trained to say when the evidence holds no answer, so its word
    counts; where it is not, all that `final_model` is told is the probability before writing.
    """

    verifier: Verifier
    settings: Settings
    final_model: AnswerConfidence
    reader_asked: bool


def conclude(prepared: PreparedQuestion, drafts: Sequence[str], given: Concluding) -> Answer:
    """The answer of a prepared question: what stood of the drafts, else quotes, else the abstention."""
    if prepared.abstention is not None:
        return _abstained(prepared, prepared.abstention, prepared.confidence)
    drafted_from = evidence_of_drafts(prepared, gap_max=given.settings.draft_gap_max)
    checked = [
        ground(prepared.standalone, draft, evidence, given.verifier, support_min=given.settings.support_min)
        for draft, evidence in zip(drafts, drafted_from, strict=False)
    ]
    written = written_of(drafts, checked) if given.reader_asked and drafts else None
    signals = final_features(prepared.confidence, written)
    trace = replace(_trace(prepared, drafts, checked), signals=signals)
    sure = given.final_model.probability(signals)
    if sure < given.settings.confident_min:
        abstention = abstain("low_confidence", prepared.passages)
        return replace(_abstained(prepared, abstention, sure), trace=trace)
    kept = [sentence for result in checked for sentence in result.kept]
    return replace(_composed(prepared, kept, given.settings), confidence=sure, trace=trace)


def written_of(drafts: Sequence[str], checked: Sequence[Grounded]) -> DraftOutcome:
    """Declined when every draft was; support of the best sentence that stood."""
    support = max((sentence.support for result in checked for sentence in result.kept), default=0.0)
    return DraftOutcome(all(declines(draft) for draft in drafts), support)


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


def _composed(prepared: PreparedQuestion, kept: Sequence[Sentence], settings: Settings) -> Answer:
    """What stood, and quotes of what is left untold."""
    told = {key for sentence in kept for key in sentence.citations}
    quoted = [] if kept and prepared.kind == "fact" else _quotes(prepared, told, settings)
    sentences, evidence = compose.renumbered(
        sorted([*kept, *quoted], key=lambda s: s.citations[0]) if kept else quoted, prepared.evidence
    )
    return Answer(
        question=prepared.question.text,
        standalone_question=prepared.standalone,
        status="answered" if kept else "quoted",
        text=compose.text_of(
            sentences, evidence, titled=prepared.kind != "fact" or not kept, quoted=not kept
        ),
        confidence=prepared.confidence,
        sentences=tuple(sentences),
        citations=compose.citations_for(sentences, evidence),
        passages=prepared.passages,
    )


def evidence_of_drafts(prepared: PreparedQuestion, *, gap_max: float) -> list[list[Evidence]]:
    """What each draft may rest on: of a fact the paper of the best sentence, else each paper's own evidence.

    `gap_max`: sentences whose log-odds are this much below the best one's would only distract from a fact.
    The gap between two sentences of a paper does not depend on what else was read.
    """
    keys = dict.fromkeys(item.key for item in prepared.evidence)
    parts = [[item for item in prepared.evidence if item.key == key] for key in keys]
    if prepared.kind != "fact":
        return parts
    best = parts[0] if parts else []
    return [[item for item in best if logit(item.score) >= logit(best[0].score) - gap_max]]


def _quotes(prepared: PreparedQuestion, told: set[int], settings: Settings) -> list[Sentence]:
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
            relative_min=settings.quote_relative_min,
            sentences_max=settings.quote_sentences_max,
        )
    )


def _trace(prepared: PreparedQuestion, drafts: Sequence[str], checked: Sequence[Grounded]) -> Trace:
    return Trace(
        kind=prepared.kind,
        draft="\n".join(drafts),
        evidence=prepared.evidence,
        dropped=tuple(dropped for result in checked for dropped in result.dropped),
    )
