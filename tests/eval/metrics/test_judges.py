from __future__ import annotations

import json
import math

import pytest

from eval.metrics.agreement import LABELS, Labelled, agreement, read_labels
from eval.metrics.alignment import Reader, longest_common, rouge_l_recall
from eval.metrics.judges import RougeLStrict
from rag.readers import read_papers
from rag.text.clean import clean
from rag.text.sentences import sentence_spans

PREMISE = (
    "Swift: A Sparse Method\nSwift outperforms Slow by 3.5% on GLUE, with 40 times less memory."
    "\nIt does not need labels. Training cost rises, while test cost falls."
)
CASES = [
    ("Swift outperforms Slow by 3.5% on GLUE.", None),
    ("Swift beats everything on earth in speed and price.", "too few"),
    ("Swift outperforms Slow by 5.3% on GLUE.", "number: 5.3%"),
    ("Swift outperforms Slow by 3.5 times on GLUE.", "number: 3.5"),
    ("Swift outperforms Slow by 3.5% on SQuAD.", "name: SQuAD"),
    ("Slow outperforms Swift on GLUE, with 40 times less memory.", "beside other words: outperforms"),
    ("Swift outperforms Slow with 40 times more memory.", "opposite: more"),
    ("Swift always outperforms Slow on GLUE.", "absolute: alwai"),
    ("It does need labels.", "negation"),
    ("Swift does not outperform Slow on GLUE.", "negation"),
    ("Training cost falls.", "from another clause: falls"),
    ("Test cost falls.", None),
]


@pytest.mark.parametrize(("claim", "objection"), CASES)
def test_rouge_l_strict(claim: str, objection: str | None) -> None:
    found = RougeLStrict().objection(claim, PREMISE)
    assert (found is None) if objection is None else (found or "").startswith(objection)


def test_exchanged_values_stand_beside_other_words() -> None:
    premise = "Swift\nIt uses 0.2% of the parameters and 0.4% of the tokens."
    judge = RougeLStrict()
    assert judge.supports("It uses 0.2% of the parameters and 0.4% of the tokens.", premise)
    assert not judge.supports("It uses 0.4% of the parameters and 0.2% of the tokens.", premise)


def test_verdicts_at_the_edges() -> None:
    judge = RougeLStrict()
    assert judge.name == "rouge-l-strict"
    assert not judge.supports("Anything.", "")
    assert judge.supports("It is.", "Swift")  # says nothing


def test_numbers_and_units() -> None:
    tokens = Reader().tokens("1,200 runs, 7 percent, 12x, 7B, GPT-4, two, doubled")
    assert [(t.stem, t.unit) for t in tokens if t.is_number] == [
        ("1200", ""), ("7", "%"), ("12", "x"), ("7", "b"), ("2", ""), ("2", "x"),
    ]  # fmt: skip
    assert [t.text for t in tokens if t.is_name] == ["GPT-4"]


def test_longest_common_subsequence() -> None:
    claim, premise = (Reader().tokens(text) for text in ("a b c d", "b x d c"))
    # b and c, or b and d, which stands first: two of four
    assert longest_common(claim, premise) == [(1, 0), (3, 2)]
    assert rouge_l_recall(claim, [premise]) == 0.5
    # the union with a and c of a second line is all four
    assert rouge_l_recall(claim, [premise, Reader().tokens("a c")]) == 1.0
    assert rouge_l_recall([], [premise]) == 1.0
    assert rouge_l_recall(claim, []) == 0.0


class Says:
    """Supports the claims it was given."""

    name = "says"

    def __init__(self, *claims: str) -> None:
        self.claims = claims

    def supports(self, claim: str, premise: str) -> bool:
        return claim in self.claims


def rows(**labels: bool) -> list[Labelled]:
    return [Labelled(claim, "p", label, "kind", "dev") for claim, label in labels.items()]


def test_agreement_by_hand() -> None:
    # says yes to a, b, d; yes is right for a, b, c. p_o = 3/5 (a, b, e)
    # p_e = (3 * 3 + 2 * 2) / 25 = 13/25; kappa = (15 - 13) / (25 - 13) = 1/6
    found = agreement(Says("a", "b", "d"), rows(a=True, b=True, c=True, d=False, e=False))
    assert (found.judge, found.count, found.accuracy) == ("says", 5, 0.6)
    assert found.kappa == pytest.approx(1 / 6)
    assert (found.precision, found.recall) == pytest.approx((2 / 3, 2 / 3))


def test_agreement_is_that_of_sklearn() -> None:
    from sklearn.metrics import cohen_kappa_score

    labelled = rows(a=True, b=False, c=True, d=False, e=True, f=True)
    verdicts = [claim in "abf" for claim in "abcdef"]
    theirs = cohen_kappa_score(verdicts, [row.label for row in labelled])
    assert agreement(Says("a", "b", "f"), labelled).kappa == pytest.approx(theirs)


def test_agreement_zero_cases() -> None:
    assert math.isnan(agreement(Says(), []).kappa)
    never = agreement(Says(), rows(a=False))
    assert (never.accuracy, never.kappa) == (1.0, 1.0)
    assert math.isnan(never.precision)
    assert math.isnan(never.recall)


def test_the_labels_are_consistent(pytestconfig: pytest.Config) -> None:
    records = [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]
    corpus = pytestconfig.rootpath / "rag" / "data" / "corpus"
    abstracts = {clean(p.title): clean(p.abstract) for p in read_papers(corpus, [])}
    assert len({r["id"] for r in records}) == len(records) >= 60
    assert len({(r["claim"], r["premise"]) for r in records}) == len(records)
    for record in records:
        title, *quotes = record["premise"].split("\n")
        assert title == record["paper"]
        assert all(quote in abstracts[title] for quote in quotes), record["id"]
    halves = {half: {r["paper"] for r in records if r["split"] == half} for half in ("dev", "test")}
    assert not halves["dev"] & halves["test"]
    for half in halves:
        found = [r["label"] for r in records if r["split"] == half]
        assert sum(found) * 2 == len(found)


def test_the_judge_agrees_with_the_half_it_was_not_made_on() -> None:
    # accuracy .818, kappa .636 when first measured, with the rules and the bar already chosen on dev; slips
    # that other tests found were mended later and left it as it was. The floors are a little under.
    found = agreement(RougeLStrict(), read_labels("test"))
    assert found.count == 66
    assert found.accuracy >= 0.80
    assert found.kappa >= 0.60


def test_a_verbatim_quote_is_supported_alone_and_beside_another(pytestconfig: pytest.Config) -> None:
    judge = RougeLStrict()
    papers = list(read_papers(pytestconfig.rootpath / "rag" / "data" / "corpus", []))[::12]
    for paper in papers:
        abstract = clean(paper.abstract)
        told = [abstract[start:end] for start, end in sentence_spans(abstract)]
        for at, sentence in enumerate(told):
            assert judge.supports(sentence, f"{clean(paper.title)}\n{sentence}")
            assert judge.supports(sentence, f"{clean(paper.title)}\n{sentence}\n{told[at - 1]}")
