"""From drafts to an answer: verify, quote what is left untold, compose. Pure but for the verifier."""

from __future__ import annotations

from collections.abc import Sequence

from rag import compose
from rag.grounding import Grounded, ground
from rag.preparation import Prepared
from rag.settings import Settings
from rag.types import Answer, Evidence, Sentence, Trace
from rag.verifier import Verifier


def conclude(prepared: Prepared, drafts: Sequence[str], verifier: Verifier, settings: Settings) -> Answer:
    """The answer of a prepared question: what stood of the drafts, else quotes, else the abstention."""
    if prepared.abstention is not None:
        return Answer(
            question=prepared.question.text,
            standalone_question=prepared.standalone,
            status="abstained",
            text=prepared.abstention.message,
            confidence=prepared.confidence,
            passages=prepared.passages,
            abstention=prepared.abstention,
        )
    checked = [
        ground(prepared.standalone, draft, evidence, verifier, support_min=settings.support_min)
        for draft, evidence in zip(drafts, evidence_of_drafts(prepared), strict=False)
    ]
    kept = [sentence for result in checked for sentence in result.kept]
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
        trace=_trace(prepared, drafts, checked),
    )


def evidence_of_drafts(prepared: Prepared) -> list[list[Evidence]]:
    """What each draft may rest on: all evidence, or for several papers each paper's own."""
    if prepared.kind == "fact":
        return [list(prepared.evidence)]
    keys = dict.fromkeys(item.key for item in prepared.evidence)
    return [[item for item in prepared.evidence if item.key == key] for key in keys]


def _quotes(prepared: Prepared, told: set[int], settings: Settings) -> list[Sentence]:
    """Quotes of the papers that no kept sentence cites."""
    untold = [item for item in prepared.evidence if item.key not in told]
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


def _trace(prepared: Prepared, drafts: Sequence[str], checked: Sequence[Grounded]) -> Trace:
    return Trace(
        kind=prepared.kind,
        draft="\n".join(drafts),
        evidence=prepared.evidence,
        dropped=tuple(dropped for result in checked for dropped in result.dropped),
    )
