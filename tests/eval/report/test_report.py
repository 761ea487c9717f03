"""The report: nothing in it can act, nothing is fetched, every figure and question is there."""

from __future__ import annotations

import re

import pytest
from jinja2 import UndefinedError
from report_runs import HOSTILE, Reading, run

from eval.report import render
from eval.report.markup import fill, number
from eval.report.plain import table as plain
from eval.report.plots import Axes, Series, bars, lines
from eval.report.tables import differences
from rag.text.escape import display, escape_lines


@pytest.fixture(scope="module")
def page():
    return render([run(HOSTILE), run("other <b>", right=False)])


def test_hostile_text_becomes_no_element_and_no_attribute(page):
    read = Reading(page)
    tags = [tag for tag, _ in read.elements]
    assert tags.count("script") == tags.count("style") == 1
    assert not {"img", "iframe", "a", "link", "object", "form", "base"} & set(tags)
    names = {name for _, attributes in read.elements for name in attributes}
    assert not [name for name in names if name.startswith("on") or name in {"src", "href", "style"}]
    assert "<script>window.hurt=1</script>" in "".join(read.shown)


def test_nothing_can_be_fetched(page):
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r"(?:https?:|\burl\(|@import)", page)


def test_it_is_the_same_every_time(page):
    assert page == render([run(HOSTILE), run("other <b>", right=False)])


def test_every_question_measure_and_setting_is_there(page):
    shown = "".join(Reading(page).shown)
    for words in ("recall@5", "AURC", "refusal recall, far", "Missed?", "Far?", "support_min", "2026-01-02"):
        assert words in shown
    verdicts = [a["data-verdict"] for _, a in Reading(page).elements if "data-verdict" in a]
    assert verdicts == ["right|answered|only first right", "wrong|answered", "right|abstained"]


def test_one_run_stands_alone():
    alone = render([run()])
    assert "What differs" not in alone
    assert "only first right" not in alone
    Reading(alone)


def test_differences_of_two_runs():
    shown = "".join(Reading(differences(run("a", right=False), run("b"))).shown)
    assert "b minus a" in shown
    assert "correct+.500" in shown
    assert "recall@1.000 [.000, .000] n\xa02the same" in shown


@pytest.mark.parametrize(
    ("value", "printed"), [(None, "–"), (0.9123, ".912"), (1.0, "1.000"), (-0.05, "−.050"), (-0.0001, ".000")]
)
def test_figures_are_printed_as_papers_do(value, printed):
    assert number(value) == printed


def test_attributes_are_inert():
    hostile = fill("parts", "badge", words="x", kind="a\"b'>")
    assert hostile == '<span class="badge a&#34;b&#39;&#62;">x</span>'
    assert display("\u202e<") == "&#60;"


def test_every_value_is_inert_unless_it_is_markup_already():
    assert fill("parts", "wrapped", words="<b>\n*x*") == ('<span class="wrap">&#60;b&#62; &#42;x&#42;</span>')
    inner = fill("parts", "badge", words="<")
    assert fill("parts", "wrapped", words=inner) == f'<span class="wrap">{inner}</span>'
    assert escape_lines("a<\n\n\n\nb") == "a&#60;<br><br>b"
    found = fill("tables", "by_type", name="c <i>", columns=["<u>"], rows=[("<s>", 2, [])])
    assert "<caption><span>c &#60;i&#62;&#44; by type of question</span></caption>" in found
    assert not [tag for tag, _ in Reading(found).elements if tag in {"i", "u", "s"}]


def test_a_value_that_is_not_given_is_an_error():
    with pytest.raises(UndefinedError):
        fill("page", "page", title="only this")


def test_points_land_where_they_should():
    axes = Axes("x", "y", (0.0, 2.0), (0.0, 1.0))
    assert axes.place((0, 0)) == (48.0, 236.0)
    assert axes.place((2, 1)) == (408.0, 12.0)
    assert axes.place((1, 0.5)) == (228.0, 124.0)
    assert axes.place((9, -9)) == (408.0, 236.0)
    assert Axes("x", "y", (1.0, 1.0)).place((1, 0)) == (48.0, 236.0)


def test_plots_name_their_series_and_stand_empty_data():
    drawn = lines([Series("<a>", ((0.0, 0.5),)), Series("b", ())], Axes("x", "y"), title="t <t>")
    assert "&#60;a&#62;" in drawn
    assert 'points="48.0,124.0"' in drawn
    assert 'points=""' in drawn
    Reading(drawn)
    Reading(bars([], [], title="none", unit="s"))
    Reading(bars([("one", [0.0, 2.0])], ["a", "b"], title="t", unit="s"))


def test_dots_grow_with_the_questions_behind_them():
    drawn = lines([Series("a", ((0.1, 0.2), (0.5, 0.5)), (1, 10))], Axes("x", "y"), title="t")
    assert re.findall(r' r="([\d.]+)"', drawn) == ["3.0", "7.5"]


def test_the_plain_table_is_aligned():
    shown = plain([run("one"), run("two")]).split("\n")
    assert shown[0].startswith("measure")
    assert shown[1].startswith("recall@1")
    assert shown[0].index("one") == shown[1].index("1.000")
    assert any(line.startswith("type (one)") for line in shown)
