"""What the verifier learns from: claims beside evidence, supported or not.

Supported: written answers, whole and compressed evidence sentences, SciFact's supported claims, the
conclusions of PubMedQA's abstracts beside what they are drawn from. Not: written wrong answers, answers with
one number, unit, name, negation or direction changed, answers on other sentences of the paper or on
neighbouring papers, SciFact's other claims and its claims beside sentences that do not bear them out, changed
conclusions and those of other abstracts. A fifth of the papers and of SciFact's claims is held out.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.public.sources import (
    pubmedqa_abstracts,
    pubmedqa_conclusions,
    scifact_labelled,
    scifact_rationales,
    scifact_sentences,
)
from eval.public.verification_sets import SUPPORT
from rag.text.sentences import sentence_spans
from training.examples import Abstract, Example, is_fifth
from training.hard_negatives import RANKS, best_places
from training.perturbations import CHANGES, compressed, denied, other_number, turned

SEED = 20261127
UNTITLED = 0.35  # share of written pairs whose evidence has no title, as in other people's sets
CONCLUSION_SENTENCES = 5  # a conclusion is drawn from what stands before it
Embed = Callable[[Sequence[str]], NDArray[np.float32]]  # texts -> rows of length 1


@dataclass(frozen=True, slots=True)
class TrainingPair:
    """A claim with evidence: a title line, then sentences, one a line."""

    claim: str
    evidence: str
    supported: bool
    kind: str


def told_by(paper: Abstract, numbers: Sequence[int]) -> str:
    """What a claim that cites the paper may rest on."""
    return "\n".join([paper.title, *(paper.sentences[n] for n in sorted(numbers))])


def without_titles(pairs: Sequence[TrainingPair], rng: random.Random) -> Iterator[TrainingPair]:
    """The same pairs, some of them with the sentences alone as evidence."""
    for pair in pairs:
        _, _, below = pair.evidence.partition("\n")
        yield replace(pair, evidence=below) if below and rng.random() < UNTITLED else pair


def pairs_of(example: Example, others: list[Abstract], rng: random.Random) -> Iterator[TrainingPair]:
    """All pairs of one example."""
    parts = example.parts or (((example.answer, example.evidence),) if example.answer else ())
    if not example.answerable:
        yield from _of_unanswerable(example, rng)
        return
    number = example.evidence[0][0]
    paper = example.papers[number]
    gold = [s for p, s in example.evidence if p == number]
    if example.wrong and all(p == number for p, _ in example.evidence):
        yield TrainingPair(
            example.wrong, told_by(paper, _with_noise(paper, gold, rng)), False, "written wrong"
        )
    elif example.wrong:
        yield from _swapped(example)
    for text, told in parts:
        if text and all(p == told[0][0] for p, _ in told):
            source = example.papers[told[0][0]]
            yield from _of_answer(text, source, [s for _, s in told], others, rng)


def _of_answer(
    text: str, paper: Abstract, gold: list[int], others: list[Abstract], rng: random.Random
) -> Iterator[TrainingPair]:
    evidence = told_by(paper, _with_noise(paper, gold, rng))
    yield TrainingPair(text, evidence, True, "written answer")
    changes = list(CHANGES)
    rng.shuffle(changes)
    if any(c.isdigit() for c in text):
        changes.insert(0, other_number)
    made = 0
    for change in changes:
        changed = change(text, evidence, rng)
        if changed and changed != text and changed not in evidence and made < 2:
            made += 1
            yield TrainingPair(changed, evidence, False, change.__name__)
    rest = [n for n in range(len(paper.sentences)) if n not in gold]
    if rest:
        elsewhere = rng.sample(rest, min(len(rest), rng.choice([1, 2, 3])))
        yield TrainingPair(text, told_by(paper, elsewhere), False, "other sentences")
    if others and rng.random() < 0.5:
        other = rng.choice(others[:4])
        numbers = rng.sample(range(len(other.sentences)), min(2, len(other.sentences)))
        yield TrainingPair(text, told_by(other, numbers), False, "other paper")
    if rng.random() < 0.35:
        sentence = paper.sentences[rng.choice(gold)]
        short = compressed(sentence, rng)
        claim = short if short and rng.random() < 0.8 else sentence
        yield TrainingPair(claim, evidence, True, "compressed")


def _of_unanswerable(example: Example, rng: random.Random) -> Iterator[TrainingPair]:
    paper = example.papers[0]
    numbers = rng.sample(range(len(paper.sentences)), min(3, len(paper.sentences)))
    if example.wrong:
        yield TrainingPair(example.wrong, told_by(paper, numbers), False, "invented")


def _swapped(example: Example) -> Iterator[TrainingPair]:
    """A wrong answer over several papers: against all evidence of its first paper."""
    number = example.evidence[0][0]
    gold = [s for p, s in example.evidence if p == number]
    yield TrainingPair(example.wrong or "", told_by(example.papers[number], gold), False, "swapped papers")


def _with_noise(paper: Abstract, gold: Sequence[int], rng: random.Random) -> list[int]:
    rest = [n for n in range(len(paper.sentences)) if n not in gold]
    return [*gold, *rng.sample(rest, min(len(rest), rng.choice([0, 0, 1, 2, 3])))]


def neighbours(texts: Sequence[str], embed: Embed) -> list[list[int]]:
    """Per text the places of the RANKS others nearest to it, nearest first."""
    rows = embed(texts)
    likeness = rows @ rows.T
    np.fill_diagonal(likeness, -np.inf)
    return best_places(likeness, min(RANKS, len(texts) - 1))


def scifact(data: Path, rng: random.Random, embed: Embed) -> tuple[list[TrainingPair], list[TrainingPair]]:
    """(training, held out) pairs of SciFact (claims CC BY 4.0), a claim's all on one side.

    Besides the given pairs: a claim beside sentences of its abstract that are no rationale of it, and beside
    the rationales of claims like it over other abstracts.
    """
    abstracts = scifact_sentences(data)
    pairs = [
        TrainingPair(row.claim, _lines(row.evidence), row.label == SUPPORT, f"scifact {row.label}")
        for row in scifact_labelled(data)
    ]
    claims = list(scifact_rationales(data))
    near = neighbours([row.claim for row in claims], embed)
    for row, places in zip(claims, near, strict=True):
        others = [claims[place] for place in places if claims[place].evidence]
        others = [other for other in others if not set(other.cited_ids) & set(row.cited_ids)]
        for other in rng.sample(others, min(len(others), 2)):
            told = other.evidence[0]
            text = "\n".join(abstracts[told.doc_id][n] for n in told.sentence_ids)
            pairs.append(TrainingPair(row.claim, text, False, "scifact other claim"))
        for paper in sorted({told.doc_id for told in row.evidence}):
            bearing = {n for told in row.evidence if told.doc_id == paper for n in told.sentence_ids}
            rest = [s for n, s in enumerate(abstracts[paper]) if n not in bearing and len(s) > 30]
            if chosen := rng.sample(rest, min(len(rest), 2)):
                pairs.append(TrainingPair(row.claim, "\n".join(chosen), False, "scifact other sentences"))
    return (
        [pair for pair in pairs if not is_fifth(pair.claim)],
        [pair for pair in pairs if is_fifth(pair.claim)],
    )


def pubmedqa(data: Path, rng: random.Random, embed: Embed) -> Iterator[TrainingPair]:
    """Conclusions of PubMedQA's abstracts (MIT), a sentence each, beside the sentences before them.

    Or beside those of another abstract, one of the nearest.
    """
    rows = pubmedqa_abstracts(data)
    told = {key: _lines(text).split("\n")[-CONCLUSION_SENTENCES:] for key, text in rows.items()}
    everyone = sorted(told)
    near = dict(zip(everyone, neighbours([rows[key] for key in everyone], embed), strict=True))
    for row in pubmedqa_conclusions(data):
        evidence = "\n".join(told[row.gold_ids[0]])
        claims = [claim for claim in _lines(row.long_answer).split("\n") if len(claim.split()) > 6][:2]
        for claim in claims:
            yield TrainingPair(claim, evidence, True, "conclusion")
            changed = (rng.choice([denied, turned]))(claim, evidence, rng)
            if changed:
                yield TrainingPair(changed, evidence, False, "conclusion changed")
            other = everyone[rng.choice(near[row.gold_ids[0]])]
            yield TrainingPair(claim, "\n".join(told[other]), False, "conclusion, other abstract")


def _lines(text: str) -> str:
    """A text with each sentence on a line of its own."""
    return "\n".join(text[start:end] for start, end in sentence_spans(text))


def all_pairs(
    chosen: Sequence[Example], pool: Sequence[Abstract], near: list[list[int]], *, seed: int = SEED
) -> list[TrainingPair]:
    """The pairs of all examples."""
    rng = random.Random(seed)
    found = []
    for example, places in zip(chosen, near, strict=True):
        own = {paper.id for paper in example.papers}
        found += list(pairs_of(example, [pool[p] for p in places if pool[p].id not in own], rng))
    return found
