"""Lessons for a reader that has the whole abstract before it: what is asked of a paper, what it should say.

A paper's lessons are learned together behind one copy of its abstract (`training.packing`). Kinds:

- answer: short, in own words, what was asked for first; two questions in one get two answers;
- decline: the paper does not tell; its own near misses, papers of the same group, and questions of
  papers nearby (`foreign`);
- statement: is this answer right? the written wrong answers are the hard ones, what answers another
  question of the same paper, and half of what was asked for.

Behind a conversation (`training.openings`) the question is to be rewritten so that it stands alone; behind
what several papers say, to be answered from all of them, or such an answer to be judged.

`held_out` names the papers that validate, a tenth of all. `never_trained_on` adds the fifth of the older
collections that calibration is fitted on (`training.examples`): no lesson is made of either.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from eval.metrics.strict import is_right
from eval.written.questions import is_validation
from rag.models.openings import NOT_TOLD
from rag.text.sentences import sentence_spans
from rag.text.terms import content_terms
from training import examples
from training.asked import Asked, Written, written
from training.openings import dialogues, findings
from training.sheets import Lesson, Sheet

DECLINED = NOT_TOLD
# How many of the papers of a collection are read, by the types of question they carry; the first that fits.
READ = (
    ({"how_why", "two_facts", "absent", "define_or_limit"}, 1.0),
    ({"numeric", "numeric_unanswerable"}, 1.0),
    ({"plain", "oblique"}, 0.6),
    ({"fact_paraphrase", "near_unanswerable"}, 0.4),
    ({"single", "distractor"}, 0.9),
)
REST = 0.9
# How many of a paper's questions of a type are asked; all of those that are not named.
ASKED = {"find": 0.1, "oblique": 0.4, "fact_lexical": 0.6, "not_distractor": 0.5, "compare": 0.7}
ASKED |= {"near_unanswerable": 0.6, "unanswerable": 0.7, "numeric_unanswerable": 0.8}
ASKED |= {f"not_{kind}": 0.3 for kind in ("single", "collect", "agree", "find", "none", "numeric_multi")}
ASKED |= {"not_compare_named": 0.3, "not_compare_described": 0.3, "not_two_facts": 0.4}
JOINED, FOREIGN = 0.5, 0.3  # shares of papers with such a lesson
HALVED = 0.4  # of the answers to two questions in one, judged whole or by half
STATED, BESIDE = (0.9, 0.3), 0.4  # of one and a second answer to judge; of an answer to another question
# Questions whose own words say what they are about: another paper can be asked them and must decline.
TELLING = {"how_why", "result", "numeric", "plain", "single", "fact_paraphrase", "fact_lexical"}
TELLING |= {"oblique_numeric", "distractor", "multi_find", "yes_no"}
# Complete questions may begin like this, too.
OPENED, OPENINGS = 0.15, ("And", "But", "So", "Ok,", "Then")
NEAR = 12
BESIDE_SHARED = 2  # content words that two answers may share and still tell different things
MISSING_SHARE, MISSING_LEAST = 0.5, 3


def held_out(data: Path) -> frozenset[str]:
    """Ids of the papers that validate: a tenth, whole groups at a time, always the same."""
    found = written(data)
    return frozenset(paper for paper, unit in found.units.items() if is_tenth(unit))


def never_trained_on(data: Path) -> frozenset[str]:
    """`held_out`, and what is held out from the other models as well (`training.examples.held_out`)."""
    return held_out(data) | examples.held_out(data)


def is_tenth(name: str) -> bool:
    """A tenth of all names, always the same; part of `training.examples.is_fifth`."""
    return is_validation(name)


def training_sheets(data: Path, *, seed: int) -> list[Sheet]:
    """The chosen papers of the training part with their lessons, in random order."""
    found, apart = written(data), never_trained_on(data)
    rng = random.Random(seed)
    sheets = _sheets(found, [p for p in found.papers if p not in apart], rng, READ)
    sheets += talk_sheets(data, found, rng, lambda papers: not apart.intersection(papers))
    rng.shuffle(sheets)
    return sheets


def held_out_sheets(data: Path, *, seed: int) -> list[Sheet]:
    """All papers that validate, with such lessons, in random order."""
    found, apart = written(data), held_out(data)
    return _sheets(found, [p for p in found.papers if p in apart], random.Random(seed), ())


def held_out_talk(data: Path, *, seed: int) -> list[Sheet]:
    """Conversations and findings over papers that validate."""
    apart = held_out(data)
    return talk_sheets(data, written(data), random.Random(seed), apart.issuperset)


def talk_sheets(
    data: Path, found: Written, rng: random.Random, wanted: Callable[[Sequence[str]], bool]
) -> list[Sheet]:
    """Follow-ups to rewrite, each beside a question that stands alone; what papers say, summed up."""
    complete = [asked.question for asked in found.asked if asked.type in TELLING]
    sheets = []
    for said in dialogues(data):
        if wanted(said.papers):
            alone = rng.choice(complete)
            if rng.random() < OPENED:
                alone = f"{rng.choice(OPENINGS)} {_lower(alone)}"
            lessons = [Lesson("rewrite", said.question, said.standalone), Lesson("alone", alone, alone)]
            sheets.append(Sheet(said.opening, tuple(rng.sample(lessons, 2))))
    for told in findings(data):
        if wanted(told.papers):
            stated = rng.random() < 0.5
            proposed = told.summary if stated else told.wrong
            lessons = [Lesson("summary", told.question, told.summary)]
            lessons.append(Lesson("statement", told.question, "Yes." if stated else "No.", proposed))
            sheets.append(Sheet(told.opening, tuple(rng.sample(lessons, 2))))
    return sheets


def _sheets(
    found: Written, chosen: Sequence[str], rng: random.Random, read: Sequence[tuple[set[str], float]]
) -> list[Sheet]:
    """Lessons for a share of the chosen papers."""
    own: dict[str, list[Asked]] = {paper: [] for paper in chosen}
    for asked in found.asked:
        if asked.paper in own:
            own[asked.paper].append(asked)
    near = foreign(found, chosen, [asked for paper in chosen for asked in own[paper]])
    sheets = []
    for paper in chosen:
        share = next((s for types, s in read if any(a.type in types for a in own[paper])), REST)
        if own[paper] and (not read or rng.random() < share):
            sheets.append(Sheet(found.papers[paper], _lessons(own[paper], near[paper], rng)))
    rng.shuffle(sheets)
    return sheets


def _lessons(own: list[Asked], near: list[Asked], rng: random.Random) -> tuple[Lesson, ...]:
    """Own questions, two in one, a question of a paper nearby, an answer to judge."""
    chosen = [asked for asked in own if rng.random() < ASKED.get(asked.type, 1.0)] or own[:1]
    made = [Lesson(asked.type, asked.question, asked.answer or DECLINED) for asked in chosen]
    told = [asked for asked in own if asked.answer is not None and asked.type in TELLING]
    if len(told) > 1 and rng.random() < JOINED:
        first, second = rng.sample(told, 2)
        made.append(_joined(first, second))
        if rng.random() < HALVED:
            made.append(_whole_or_half(made[-1], (str(first.answer), str(second.answer)), rng))
    for lesson in [lesson for lesson in made if lesson.type == "two_facts"]:
        halves = tuple(lesson.answer[start:end] for start, end in sentence_spans(lesson.answer))
        if len(halves) == 2 and rng.random() < HALVED:
            made.append(_whole_or_half(lesson, halves, rng))
    if near and rng.random() < FOREIGN:
        made.append(Lesson("foreign", rng.choice(near).question, DECLINED))
    judged = [asked for asked in rng.sample(own, len(own)) if asked.wrong]
    for asked, share in zip(judged, STATED, strict=False):
        if rng.random() < share:
            made.append(_stated(asked, rng))
    if rng.random() < BESIDE:
        made += _beside(own, rng)
    rng.shuffle(made)
    return tuple(made)


def _joined(first: Asked, second: Asked) -> Lesson:
    """Two questions asked at once: both are answered, in their order."""
    question = f"{first.question.rstrip('?. ')}? And {_lower(second.question)}"
    return Lesson("joined", question, f"{first.answer} {second.answer}")


def _whole_or_half(lesson: Lesson, halves: Sequence[str], rng: random.Random) -> Lesson:
    """Is it right? Half of what was asked for is not; four times in ten the whole is proposed."""
    if rng.random() < 0.4:
        return Lesson("statement", lesson.question, "Yes.", lesson.answer)
    return Lesson("statement", lesson.question, "No.", rng.choice(halves))


def _lower(text: str) -> str:
    """The first word with a small letter, unless it is a name."""
    first = text.split(maxsplit=1)[0]
    return text[0].lower() + text[1:] if first[1:].islower() and len(first) > 1 else text


def _stated(asked: Asked, rng: random.Random) -> Lesson:
    """Is it right? As often as not it is the written answer, else the wrong one."""
    right = asked.answer is not None and rng.random() < 0.5
    proposed = asked.answer if right else asked.wrong
    return Lesson("statement", asked.question, "Yes." if right else "No.", proposed)


def _beside(own: Sequence[Asked], rng: random.Random) -> list[Lesson]:
    """The answer to another question of the paper: true, and no answer to this one."""
    told = [asked for asked in own if asked.answer is not None and asked.type in TELLING]
    if len(told) < 2:
        return []
    first, other = rng.sample(told, 2)
    shared = content_terms(first.answer or "") & content_terms(other.answer or "")
    if is_right(first.answer or "", other.answer or "") or len(shared) > BESIDE_SHARED:
        return []
    return [Lesson("statement", first.question, "No.", other.answer)]


def foreign(found: Written, chosen: Sequence[str], asked: Sequence[Asked]) -> dict[str, list[Asked]]:
    """Per paper some questions of papers nearby that share words with it, and ask for what it lacks."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [" ".join((found.papers[p].title, *found.papers[p].sentences)) for p in chosen]
    telling = [a for a in asked if a.answer is not None and a.type in TELLING]
    if not telling:
        return {paper: [] for paper in chosen}
    weigh = TfidfVectorizer(sublinear_tf=True, stop_words="english")
    likeness = (weigh.fit_transform(texts) @ weigh.transform([a.question for a in telling]).T).toarray()
    near = {}
    for row, (paper, text) in enumerate(zip(chosen, texts, strict=True)):
        best = np.argsort(-likeness[row], kind="stable")[: 4 * NEAR]
        held = content_terms(text)
        others = (telling[place] for place in best if likeness[row, place] > 0)
        lacking = [a for a in others if found.units[a.paper] != found.units[paper] and _lacks(a, held)]
        near[paper] = lacking[:NEAR]
    return near


def _lacks(asked: Asked, held: frozenset[str]) -> bool:
    """Whether a text with these words lacks so many of a question's that it can hardly answer it."""
    words = content_terms(asked.question)
    missing = len(words - held)
    return missing >= MISSING_LEAST and missing >= MISSING_SHARE * len(words)
