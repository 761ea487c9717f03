"""One folder, one report: runs, public sets and thumbs together, and errors.md beside it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from fakes import fake_embedder
from feedback_rows import ROWS
from public_files import put
from report_runs import HOSTILE, Reading, run

from eval.folder import compared_run, compared_sets, contents, leave
from eval.measure.failures import failures_of
from eval.measure.feedback import VoteLine, summarise
from eval.measure.feedback import save as save_thumbs
from eval.measure.results import read, save
from eval.public.results import FailureCase, save_set
from eval.public.run import PublicRun, measure_sets
from eval.public.subject import Subject
from eval.report import plain
from eval.report.markdown import errors
from eval.report.markdown import plain as one_line
from eval.report.public import differences
from rag.errors import ReadError
from rag.settings import Settings


@pytest.fixture
def results(tmp_path):
    folder = put(tmp_path / "data", "verify/healthver_dev.jsonl.gz", "verify/covidfact.jsonl.gz")
    subject = Subject(Settings.load(), fake_embedder(), lambda *_: None)
    found, _ = measure_sets(PublicRun(folder, (), None, tmp_path / "else", "2026-01-02"), subject)
    case = FailureCase(f"id {HOSTILE}", HOSTILE, HOSTILE, 0.5, HOSTILE)
    hostile = replace(found[0].found, worst=(case,), causes={HOSTILE: 3})
    return [replace(found[0], found=hostile, about=HOSTILE, source=HOSTILE, licence=HOSTILE), *found[1:]]


def filled(folder, results):
    for one in results:
        save_set(one, folder)
    save(run(), folder / "results-full.json")
    hostile = {"question": HOSTILE, "note": HOSTILE, "at": HOSTILE}
    rows = [VoteLine.model_validate({**row, **hostile}) for row in ROWS]
    save_thumbs(summarise(rows), folder)
    return folder


def test_a_folder_holds_all_that_was_left_in_it(tmp_path, results):
    folder = filled(tmp_path / "out", results)
    (folder / "results-old.json").write_text("{}")
    held = contents(folder)
    assert [one.name for one in held.runs] == ["full"]
    assert [one.name for one in held.public] == ["covid-fact", "healthver"]
    assert held.thumbs.count == 5
    assert contents(tmp_path / "nowhere") == contents(tmp_path / "nothing")


def test_the_report_shows_it_and_nothing_acts(tmp_path, results):
    folder = filled(tmp_path / "out", results)
    page = leave(contents(folder), folder).read_text(encoding="utf-8")
    read_page = Reading(page)
    tags = [tag for tag, _ in read_page.elements]
    assert tags.count("script") == tags.count("style") == 1
    assert not {"img", "iframe", "a", "link"} & set(tags)
    shown = "".join(read_page.shown)
    for words in ("Verification", "covid-fact: verifier", "Thumbs from the chat", "Wrong answers"):
        assert words in shown
    assert "Retrieval: are" not in shown


def test_a_report_of_public_sets_alone(tmp_path, results):
    for one in results:
        save_set(one, tmp_path)
    page = leave(contents(tmp_path), tmp_path).read_text(encoding="utf-8")
    assert "Every question" not in page
    Reading(page)


def test_the_failures_stand_in_the_results(tmp_path):
    save(run(), tmp_path / "r.json")
    found = read(tmp_path / "r.json")
    assert found.failures == failures_of(found.items)
    assert sum(found.failures.causes.values()) == 1


def test_errors_as_markdown(results):
    told = errors([run()], results)
    assert told.startswith("# Where answers go wrong\n\n## full\n")
    assert "1 of 3 questions went wrong" in told
    assert "### Wrong answers, the most confident first" in told
    assert "\n- **q2**" in told
    assert "wanted: never" not in told  # the ideal answer goes before the must lists
    assert not re.search(r"(?<!\\)<", told)
    assert "## covid-fact" in told


def test_a_line_of_markdown_is_inert_and_short():
    assert one_line("a *b*\n[c](d) \x1b[31m| `e`") == r"a \*b\* \[c\](d) \| \`e\`"
    assert len(one_line("x" * 2000)) == 601


def test_two_runs_of_a_set_are_paired_by_member(results):
    first = results[1]
    members = dict.fromkeys(first.found.members, 1.0)
    better = replace(first, found=replace(first.found, members=members))
    worse = replace(first, found=replace(first.found, members=dict.fromkeys(members, 0.0)))
    (name, gap), *_ = differences([better], [worse])
    assert name == f"{first.name}: right decisions"
    assert (gap.value, gap.n) == (1.0, len(members))
    assert "this run minus before" in plain.sets([better], {"before": [worse]})


def test_runs_to_compare_with_are_found_in_their_folder(tmp_path, results):
    folder = filled(tmp_path / "out", results)
    assert compared_run(folder) == compared_run(folder / "results-full.json")
    assert len(compared_sets(folder)) == 2
    with pytest.raises(ReadError, match="no public sets"):
        compared_sets(tmp_path / "nowhere")
