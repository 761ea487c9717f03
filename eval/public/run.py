"""Measures the public sets of a folder one after the other; each keeps its result as soon as it is there.

A set is measured again only when its files, the product, its settings or the measures have changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from eval.measure.stamps import code_digest, settings_told, versions
from eval.public.answerability import measure_answerability
from eval.public.answerability_sets import Answerability
from eval.public.catalogue import SETS, Loaded, PublicSet
from eval.public.ranking import measure_rankings
from eval.public.results import (
    FOLDER,
    FORMAT,
    PublicStamp,
    SetFindings,
    SetResult,
    Skipped,
    earlier,
    save_set,
)
from eval.public.retrieval_sets import RetrievalSet
from eval.public.subject import Subject, UndraftedDecision, baselines, prefetch, rankings
from eval.public.support import measure_support
from eval.questions.questions import spread
from rag.assistant import Assistant
from rag.errors import ReadError
from rag.storage.checksums import sha256_of
from rag.types import Paper

_CODE = ("rag", "vectorstore", "prompts", "eval/public", "eval/metrics")


@dataclass(frozen=True, slots=True)
class PublicRun:
    """What is wanted: which sets of which folder, at most how many members of each, results where."""

    folder: Path
    names: tuple[str, ...]
    limit: int | None
    output: Path
    date: str


def measure_sets(order: PublicRun, subject: Subject) -> tuple[list[SetResult], list[Skipped]]:
    """The sets that are there, in the order of the catalogue, and those that are not.

    :raises ReadError: if a file is malformed, or none of the sets is there.
    """
    wanted = [one for one in SETS.values() if one.name in (order.names or SETS)]
    skipped = [
        Skipped(one.name, f"no {lacking[0]}") for one in wanted if (lacking := one.missing(order.folder))
    ]
    there = [one for one in wanted if not one.missing(order.folder)]
    if not there:
        files = ", ".join(file for one in wanted for file in one.files)
        raise ReadError(f"{order.folder}: holds none of the sets", hint=f"Looked for {files}")
    return [_kept_or_measured(one, order, subject) for one in there], skipped


def _kept_or_measured(one: PublicSet, order: PublicRun, subject: Subject) -> SetResult:
    loaded = _limited(one.load(order.folder), order.limit)
    assistant = subject.over(_papers(loaded), one.name)
    stamp = PublicStamp(
        date=order.date,
        fingerprint=assistant.fingerprint,
        code=code_digest(*_CODE),
        data=_digest(one, order.folder),
        limit=order.limit,
        settings=settings_told(subject.settings),
        versions=versions(),
    )
    kept = earlier(order.output / FOLDER / f"{one.name}.json")
    if kept and replace(kept.stamp, date=order.date) == stamp:
        return kept
    found = _measured(one.name, loaded, assistant, subject)
    count = len(_members(loaded))
    result = SetResult(FORMAT, one.name, one.kind, one.about, one.source, one.licence, count, found, stamp)
    save_set(result, order.output)
    return result


def _measured(name: str, loaded: Loaded, assistant: Assistant, subject: Subject) -> SetFindings:
    """Each kind in its own way; progress is told under the name of the set."""
    total = len(_members(loaded))
    told = partial(_told, subject, name, total)
    if isinstance(loaded, RetrievalSet):
        prefetch(assistant, [query.text for query in loaded.queries], partial(told, "questions"))
        return measure_rankings(loaded, rankings(assistant), told)
    if isinstance(loaded, Answerability):
        settings = assistant.retriever.settings
        prefetch(assistant, [asked.text for asked in loaded.questions], partial(told, "questions"))
        return measure_answerability(
            loaded.questions,
            UndraftedDecision(assistant),
            bar=settings.confident_min,
            told=partial(told, "preparing"),
        )
    return measure_support(
        loaded,
        assistant.pipeline.stages.verify.verifier,
        baselines(assistant),
        support_min=subject.settings.support_min,
        told=partial(told, "verifying"),
    )


def _told(subject: Subject, name: str, total: int, stage: str, done: int) -> None:
    subject.progress(f"{name}: {stage}", done, total)


def _members(loaded: Loaded) -> Sequence[object]:
    if isinstance(loaded, RetrievalSet):
        return loaded.queries
    return loaded.questions if isinstance(loaded, Answerability) else loaded


def _papers(loaded: Loaded) -> tuple[Paper, ...]:
    """The collection of a set; verification needs none, and gets an empty one."""
    return () if isinstance(loaded, list) else loaded.papers


def _limited(loaded: Loaded, limit: int | None) -> Loaded:
    """At most so many members, spread evenly; the corpus stays whole."""
    if isinstance(loaded, RetrievalSet):
        return replace(loaded, queries=tuple(spread(loaded.queries, limit)))
    if isinstance(loaded, Answerability):
        return replace(loaded, questions=tuple(spread(loaded.questions, limit)))
    return spread(loaded, limit)


def _digest(one: PublicSet, folder: Path) -> str:
    """First 16 hex digits of sha256 over the files of a set."""
    sums = "\n".join(sha256_of(folder / name) for name in one.files)
    return hashlib.sha256(sums.encode()).hexdigest()[:16]
