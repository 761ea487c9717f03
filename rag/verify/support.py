"""How far evidence carries a sentence: a score in 0..1 behind one small interface.

`LexicalVerifier` weighs shared words and embedding similarity (weights: `rag/data/support.json`),
`TrainedVerifier` these and the verdict of a trained cross-encoder (`rag/data/support_trained.json`); both
fitted by `training/logistic.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.index.query_encoder import QueryEncoder
from rag.models.logistic import LogisticModel
from rag.ports import EntailmentModel
from rag.text.terms import content_terms

# Words a summary may add without claiming anything.
FRAMING = content_terms(
    "paper authors study method approach model work results show shows showed proposes proposed"
    " propose introduces introduced introduce presents present achieves achieve achieved reports"
    " reported uses use used using called based allows provides according sources source answer"
)

_NEAR_LINES = 8  # more than the product shows of one paper


def containment(sentence: str, evidence: str) -> float:
    """Share of the sentence's content words that occur in the evidence; 1.0 when it has none."""
    said = content_terms(sentence) - FRAMING
    return len(said & content_terms(evidence)) / len(said) if said else 1.0


def lines_of(evidence: str) -> list[str]:
    """The lines of an evidence text that hold something."""
    return [line for line in evidence.split("\n") if line.strip()]


def support_features(sentence: str, evidence: str, cosines: Sequence[float]) -> dict[str, float]:
    """Signals of support. `evidence` is a title line and the sentences below it, one a line.

    What a claim says has to stand close together: words are looked for in `_NEAR_LINES` lines at a time.

    :param cosines: of the sentence with the whole evidence, then with each of its lines.
    """
    lines = lines_of(evidence)
    parts = ["\n".join(lines[n : n + _NEAR_LINES]) for n in range(max(1, len(lines) - _NEAR_LINES + 1))]
    said = content_terms(sentence) - FRAMING
    missing = min(len(said - content_terms(part)) for part in parts)
    return {
        "containment": max(containment(sentence, part) for part in parts),
        "best_line_containment": max((containment(sentence, line) for line in lines), default=0.0),
        "missing_words": min(missing, 10) / 5.0,
        "cosine": cosines[0],
        "best_line_cosine": max(cosines),
        "verbatim": float(is_verbatim(sentence, evidence)),
    }


def is_verbatim(sentence: str, evidence: str) -> bool:
    """True when the words of the sentence stand in the evidence in this order, without a gap."""
    return f" {_squeezed(sentence)} " in f" {_squeezed(evidence)} "


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.casefold()).strip()


class LexicalVerifier:
    """Support from containment and embedding similarity."""

    def __init__(self, encoder: QueryEncoder, model: LogisticModel) -> None:
        self._encoder = encoder
        self._model = model

    def support(self, claims: Sequence[tuple[str, str]]) -> list[float]:
        """See `Verifier.support`. All texts are embedded together."""
        return [self._model.probability(features) for features in self.features(claims)]

    def features(self, claims: Sequence[tuple[str, str]]) -> list[dict[str, float]]:
        """The signals of each claim."""
        if not claims:
            return []
        read = [(sentence, [evidence, *lines_of(evidence)]) for sentence, evidence in claims]
        texts = list(dict.fromkeys(text for sentence, told in read for text in (sentence, *told)))
        # remembered: each sentence of a draft is held against the same evidence
        rows = dict(zip(texts, self._encoder.queries(texts), strict=True))
        return [
            support_features(sentence, told[0], [float(rows[sentence] @ rows[text]) for text in told])
            for sentence, told in read
        ]


class TrainedVerifier:
    """Support from what a trained cross-encoder says, beside the signals of `LexicalVerifier`."""

    def __init__(self, judge: EntailmentModel, lexical: LexicalVerifier, model: LogisticModel) -> None:
        self._judge = judge
        self._lexical = lexical
        self._model = model

    def support(self, claims: Sequence[tuple[str, str]]) -> list[float]:
        """See `Verifier.support`."""
        return [self._model.probability(features) for features in self.features(claims)]

    def features(self, claims: Sequence[tuple[str, str]]) -> list[dict[str, float]]:
        """The signals of each claim."""
        told = self._judge.logits(claims) if claims else []
        return [
            {**signals, "judge": logit}
            for signals, logit in zip(self._lexical.features(claims), told, strict=True)
        ]
