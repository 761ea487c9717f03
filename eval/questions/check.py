"""Holds questions against the papers they are about: what is gold must be true of them.

    python -m eval.questions.check        the shipped questions over the shipped corpus

`faults` serves any corpus; the rule by which the shipped set is split (papers at even places of the corpus
are dev, at odd ones test, so that no paper stands in both) is `split_faults`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence

from eval.questions.questions import Gold, load
from rag.text.clean import clean
from rag.types import Paper


def faults(golds: Sequence[Gold], papers: Sequence[Paper]) -> list[str]:
    """Everything inconsistent, each line with the question's id; empty when all is well."""
    known = {paper.title: paper for paper in papers}
    return [f"{gold.id}: {fault}" for gold in golds for fault in _faults(gold, known)]


def split_faults(golds: Sequence[Gold], papers: Sequence[Paper]) -> list[str]:
    """Questions whose papers do not stand at the places of their split; 0-based, even is dev."""
    places = {paper.title: place for place, paper in enumerate(papers)}
    return [
        f"{gold.id}: {title!r} stands at place {places[title]}, which is not {gold.split!r}"
        for gold in golds
        for title in gold.titles
        if title in places and gold.split != ("dev", "test")[places[title] % 2]
    ]


def _faults(gold: Gold, known: Mapping[str, Paper]) -> Iterator[str]:
    yield from (f"no paper has the title {title!r}" for title in gold.titles if title not in known)
    for title, text in gold.evidence:
        if title not in gold.titles:
            yield f"evidence of {title!r}, which is no gold title"
        elif title in known and text not in known[title].abstract:
            yield f"evidence is not verbatim in {title!r}: {text[:60]!r}"
    if gold.answerable:
        yield from _answerable_faults(gold)
    elif gold.must or gold.evidence:
        yield "unanswerable, yet with evidence or a must list"
    if gold.question.history and not gold.standalone:
        yield "has a history but no standalone question"


def _answerable_faults(gold: Gold) -> Iterator[str]:
    """A right answer must be possible from gold papers alone, by quoting and citing."""
    if not gold.titles:
        yield "answerable, yet no gold title"
    if not gold.evidence:
        yield "answerable, yet no evidence"
    if not gold.must:
        yield "answerable, yet nothing a right answer must contain"
    stored = "\n".join([*(text for _, text in gold.evidence), *gold.titles])
    told = folded(f"{stored}\n{clean(stored)}")
    for choices in gold.must:
        if not any(folded(choice) in told for choice in choices):
            yield f"neither evidence nor title contains any of {list(choices)}"


def folded(text: str) -> str:
    """Without case, spaces squeezed: as must lists are compared."""
    return re.sub(r"\s+", " ", text).casefold()


def main() -> None:
    """Check the shipped questions; exit code 1 when something is wrong."""
    from rag.ingest import corpus_files, read_collection

    papers, _ = read_collection(corpus_files())
    golds = load()
    found = [*faults(golds, papers), *split_faults(golds, papers)]
    print("\n".join(found) or f"{len(golds)} questions are consistent")  # noqa: T201
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
