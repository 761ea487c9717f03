"""Every question of a run with all that led to its verdict, to be filtered and read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from eval.measure.failures import wanted
from eval.measure.items import EvidenceRow, QuestionResult
from eval.measure.results import RunResults
from eval.report.markup import element, inert_lines, text


def browser(runs: Sequence[RunResults]) -> str:
    """The questions of the first run, beside each what the second answered."""
    first, second = runs[0], runs[1] if len(runs) > 1 else None
    others = {item.id: item for item in second.items} if second else {}
    names = (first.name, second.name if second else "")
    shown = "".join(_question(item, others.get(item.id), names) for item in first.items)
    return _filters(first.items, compared=second is not None) + element("div", shown, id="questions")


def _filters(items: Iterable[QuestionResult], *, compared: bool) -> str:
    types = dict.fromkeys(item.type for item in items)
    verdicts = ["right", "wrong", "answered", "quoted", "abstained", "error"]
    if compared:
        verdicts += ["only first right", "only second right"]
    selects = _select("type", types) + _select("verdict", verdicts)
    words = element("label", 'search <input id="words" type="search" autocomplete="off">')
    return element("p", f'{selects}{words}<output id="count"></output>', class_="filters")


def _select(name: str, values: Iterable[str]) -> str:
    options = '<option value="">all</option>' + "".join(
        element("option", text(value), value=value) for value in values
    )
    return element("label", f"{name} {element('select', options, id=name)}")


def _question(item: QuestionResult, other: QuestionResult | None, names: tuple[str, str]) -> str:
    """One foldable question; `data-` attributes are what the filters read."""
    verdict = "right" if item.right else "wrong"
    tags = [verdict, item.status]
    if other and item.right != other.right:
        tags.append("only first right" if item.right else "only second right")
    badges = _badge(verdict, verdict) + _badge(item.status)
    if other:
        badges += _badge(f"{names[1]}: {'right' if other.right else 'wrong'}")
    title = f"{element('code', text(item.id))} {text(item.question)} {badges}"
    body = (
        _gold(item) + _answer(item, names[0]) + (_answer(other, names[1]) if other else "") + _working(item)
    )
    inside = element("summary", title) + element("div", body, class_="body")
    return element("details", inside, data_type=item.type, data_verdict="|".join(tags))


def _badge(words: str, kind: str = "") -> str:
    return element("span", text(words), class_=f"badge {kind}".strip())


def _gold(item: QuestionResult) -> str:
    lists = "; ".join(" or ".join(choices) for choices in item.must)
    return _facts(
        {
            "type": item.type,
            "said before": "\n".join(item.history),
            "read as": item.read_as,
            "wanted": wanted(item),
            "must contain": lists,
            "gold papers": "\n".join(item.gold_titles),
            "gold evidence": "\n".join(item.gold_evidence),
        }
    )


def _answer(item: QuestionResult, name: str) -> str:
    head = element("h4", f"{text(name)}: {text(item.status)}, confidence {item.confidence:.2f}")
    cause = element("p", f"Went wrong: {text(item.cause)}.", class_="cause") if item.cause else ""
    said = element("blockquote", inert_lines(item.text))
    return head + cause + said + _sentences("cited", item.citations) + _draft(item)


def _draft(item: QuestionResult) -> str:
    """What the model wrote, and what was dropped of it and why."""
    dropped = "".join(
        element("li", f"<s>{text(d.text)}</s> {element('em', text(d.reason))}, support {d.support:.2f}")
        for d in item.dropped
    )
    draft = element("h4", "draft") + element("blockquote", inert_lines(item.draft)) if item.draft else ""
    return draft + (element("h4", "dropped") + element("ul", dropped) if dropped else "")


def _working(item: QuestionResult) -> str:
    """The evidence and the papers found."""
    found = "".join(
        element("li", text(title), **({"class_": "gold"} if title in item.gold_titles else {}))
        for title in item.passages
    )
    papers = element("h4", "papers found") + element("ol", found) if found else ""
    return _sentences("evidence shown to the model", item.evidence) + papers


def _sentences(heading: str, found: Sequence[EvidenceRow]) -> str:
    lines = "".join(
        element(
            "li",
            f"[{shown.key}] {text(shown.text)} {element('cite', text(shown.title))}"
            + (f" {shown.score:.2f}" if shown.score else ""),
            **({"class_": "gold"} if shown.gold else {}),
        )
        for shown in found
    )
    return element("h4", heading) + element("ul", lines) if lines else ""


def _facts(facts: Mapping[str, str]) -> str:
    rows = "".join(
        element("dt", name) + element("dd", inert_lines(value)) for name, value in facts.items() if value
    )
    return element("dl", rows)
