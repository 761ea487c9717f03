"""BM25 over terms of title and abstract. Saved and loaded without pickle.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009; the scoring is
bm25s's (Lù, 2024), the terms are `rag.text.terms`. Scores are given as a share of the best any paper could
reach for the question, so that they mean the same in a collection of a hundred and of a million.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexCorrupt
from rag.text.terms import terms

if TYPE_CHECKING:
    import bm25s

_NUMBERS, _LENGTHS = "terms.npy", "term_counts.npy"


def document_terms(title: str, abstract: str) -> list[str]:
    """What BM25 indexes for one paper: the terms of its title and its abstract."""
    return terms(title) + terms(abstract)


@dataclass(frozen=True, slots=True)
class _Terms:
    """The terms of all papers, paper after paper, as numbers of the vocabulary; how many each has."""

    numbers: NDArray[np.int32]
    lengths: NDArray[np.int32]

    @classmethod
    def load(cls, folder: Path) -> _Terms | None:
        """What was saved; None where an older version saved nothing."""
        if not (folder / _NUMBERS).is_file():
            return None
        arrays = (np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in (_NUMBERS, _LENGTHS))
        return cls(*arrays)


class LexicalIndex:
    """BM25 scores per paper id. Immutable: a changed collection is indexed again (3 s for 100,000)."""

    def __init__(
        self, paper_ids: Sequence[str], model: bm25s.BM25 | None, terms_of: _Terms | None = None
    ) -> None:
        self._paper_ids = list(paper_ids)
        self._model = model
        self._terms = terms_of

    @classmethod
    def build(cls, documents: Sequence[tuple[str, list[str]]], *, k1: float, b: float) -> LexicalIndex:
        """Index (paper id, terms) pairs. Papers without any term are found by no query."""
        ordered = sorted(documents)
        ids = [paper_id for paper_id, _ in ordered]
        if not any(tokens for _, tokens in ordered):
            return cls(ids, None)
        import bm25s  # takes scipy along: `citewise doctor` looks at indexes without it

        model = bm25s.BM25(k1=k1, b=b, method="lucene")
        model.index([tokens for _, tokens in ordered], show_progress=False)
        numbers = [model.vocab_dict[token] for _, tokens in ordered for token in tokens]
        lengths = [len(tokens) for _, tokens in ordered]
        return cls(ids, model, _Terms(np.array(numbers, dtype=np.int32), np.array(lengths, dtype=np.int32)))

    def __len__(self) -> int:
        return len(self._paper_ids)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {paper_id: place for place, paper_id in enumerate(self._paper_ids)}

    def _number(self, term: str) -> int | None:
        """The column of a term; the empty one is bm25s's own."""
        return self._model.vocab_dict.get(term) if self._model is not None and term else None

    def _column(self, number: int) -> slice:
        starts = self._model.scores["indptr"]  # type: ignore[union-attr]
        return slice(int(starts[number]), int(starts[number + 1]))

    def holds(self, term: str) -> bool:
        """Whether any paper has the term."""
        return self._number(term) is not None

    def idf(self, term: str) -> float:
        """ln(1 + (N - df + 0.5) / (df + 0.5)), N papers, df of them with the term."""
        number = self._number(term)
        column = slice(0, 0) if number is None else self._column(number)
        found = column.stop - column.start
        return math.log(1 + (len(self) - found + 0.5) / (found + 0.5))

    def scores(self, query: str) -> NDArray[np.float32]:
        """BM25 of every paper, divided by the sum of the question terms' idf (its upper bound): 0..1.

        Reads the postings of the question's terms and nothing else.
        """
        asked = terms(query)
        total = np.zeros(len(self), dtype=np.float32)
        numbers = [number for term in asked if (number := self._number(term)) is not None]
        if self._model is None or not numbers:
            return total
        papers, weights = self._model.scores["indices"], self._model.scores["data"]
        for number in numbers:
            column = self._column(number)
            total[papers[column]] += weights[column]  # a paper comes once in a column
        return total / np.float32(sum(self.idf(term) for term in asked))

    def search(self, query: str, k: int) -> list[tuple[str, float]]:
        """The k best (paper id, score), best first, ties by id; papers that share no term are left out."""
        return self.best(self.scores(query), k)

    def best(self, scores: NDArray[np.float32], k: int) -> list[tuple[str, float]]:
        """What `search` says, of scores that are known already."""
        found = np.flatnonzero(scores > 0)
        if len(found) > k:
            bar = np.partition(scores[found], len(found) - k)[len(found) - k]
            found = found[scores[found] >= bar]
        order = found[np.lexsort((found, -scores[found]))][:k]
        return [(self._paper_ids[i], float(scores[i])) for i in order]

    def scores_of(self, scores: NDArray[np.float32], paper_ids: Sequence[str]) -> dict[str, float]:
        """The scores of these papers; of papers that are not here, none."""
        return {i: float(scores[self._places[i]]) for i in paper_ids if i in self._places}

    def document_terms(self) -> dict[str, list[str]]:
        """The terms of every paper as they were indexed; empty where an older version saved the index."""
        if self._model is None or self._terms is None:
            return {}
        names = {number: term for term, number in self._model.vocab_dict.items()}
        told = [names[number] for number in self._terms.numbers.tolist()]
        ends = np.cumsum(self._terms.lengths)
        starts = ends - self._terms.lengths
        return {
            paper_id: told[start:end]
            for paper_id, start, end in zip(self._paper_ids, starts.tolist(), ends.tolist(), strict=True)
        }

    def save(self, folder: Path) -> list[Path]:
        """Write into an existing folder: JSON and .npy files. Returns what was written."""
        if self._model is not None:
            self._model.save(str(folder), show_progress=False)
        if self._terms is not None:
            np.save(folder / _NUMBERS, self._terms.numbers, allow_pickle=False)
            np.save(folder / _LENGTHS, self._terms.lengths, allow_pickle=False)
        ids = json.dumps({"paper_ids": self._paper_ids, "empty": self._model is None})
        (folder / "papers.json").write_text(ids, encoding="utf-8")
        return sorted(path for path in folder.iterdir() if path.is_file())

    @classmethod
    def load(cls, folder: Path) -> LexicalIndex:
        """Read what `save` wrote; arrays are mapped, so that a question reads its own terms' part of them.

        :raises IndexCorrupt: if a file is missing or does not parse.
        """
        import bm25s

        try:
            known = json.loads((folder / "papers.json").read_text(encoding="utf-8"))
            model = None if known["empty"] else bm25s.BM25.load(str(folder), mmap=True, allow_pickle=False)
            known_terms = _Terms.load(folder)
        except (OSError, EOFError, ValueError, KeyError, TypeError) as exc:
            raise IndexCorrupt(
                f"{folder}: the BM25 files cannot be read ({exc})",
                hint="Build the index again: citewise ingest --replace PATH",
            ) from exc
        return cls(known["paper_ids"], model, known_terms)
