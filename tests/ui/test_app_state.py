"""Around the conversation: votes, saved conversations, the queue, choices, papers, uploads, reports."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from chat_assistant import HOSTILE, PAPERS, ChatAssistant, FakeLibrary, answer_to

from rag.errors import OutputError, ReadError
from rag.settings import Settings
from rag.types import Paper, Turn
from rag.ui.app_state import BALANCED_MODE, QUOTES_MODE, AppState
from rag.ui.html.conversations import list_html as saved_html
from rag.ui.html.map import topic_chip
from rag.ui.html.papers import list_html
from rag.ui.html.quality import quality_html
from rag.ui.html.uploads import preview_html
from rag.ui.state.conversation import Conversation, title_of
from rag.ui.state.conversation_store import KEPT_MAX, ConversationStore, is_key, new_owner
from rag.ui.state.draft_queue import DraftQueue
from rag.ui.state.feedback import Feedback, record
from rag.ui.state.library import DEFAULT, AssistantChoice, AssistantPool, LocalLibrary, papers_in
from rag.ui.state.papers import PaperFilter, by_title, matching, years_of
from rag.ui.state.reports import last_report
from rag.ui.state.starters import starters
from rag.ui.state.uploads import collection_name, read_upload, typed_name

NOW = "2026-01-02T03:04:05+00:00"


# votes


def lines_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_vote_is_one_line_of_the_agreed_form(tmp_path):
    path = tmp_path / "deep" / "thumbs.jsonl"
    answer = answer_to("How much?")
    record(path, Feedback(answer, [Turn("user", "Hi")], "up", NOW))
    assert lines_of(path) == [
        {
            "question": "How much?",
            "history": [{"role": "user", "content": "Hi"}],
            "answer": json.loads(json.dumps(answer.to_dict())),
            "verdict": "up",
            "at": NOW,
        }
    ]


def test_voting_again_replaces_the_line_and_other_lines_stay(tmp_path):
    path = tmp_path / "thumbs.jsonl"
    path.write_text("not ours\n", encoding="utf-8")
    record(path, Feedback(answer_to("How much?"), (), "up", NOW))
    record(path, Feedback(answer_to("And?"), (), "up", NOW))
    record(path, Feedback(answer_to("How much?"), (), "down", NOW, "no \ud800 " + "x" * 5000))
    first, *rest = path.read_text(encoding="utf-8").splitlines()
    assert first == "not ours"
    assert [(line["question"], line["verdict"]) for line in map(json.loads, rest)] == [
        ("And?", "up"),
        ("How much?", "down"),
    ]
    assert len(json.loads(rest[1])["note"]) == 2000


def test_votes_from_several_threads_are_all_kept(tmp_path):
    path = tmp_path / "thumbs.jsonl"
    threads = [
        threading.Thread(target=record, args=[path, Feedback(answer_to(f"q{i}"), (), "up", NOW)])
        for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {line["question"] for line in lines_of(path)} == {f"q{i}" for i in range(8)}


def test_a_vote_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="could not be written"):
        record(tmp_path / "file" / "thumbs.jsonl", Feedback(answer_to("q"), (), "up", NOW))


# saved conversations


def talked(owner: str, *questions: str) -> Conversation:
    conversation = Conversation(owner=owner)
    for question in questions:
        conversation.begin(question)
        conversation.end(answer_to(question))
    return conversation


def test_a_conversation_comes_back_as_it_was(tmp_path):
    store, owner = ConversationStore(tmp_path), new_owner()
    conversation = talked(owner, f"hostile {HOSTILE}", "And what did it cost?")
    store.save(conversation)
    opened = store.open(owner, conversation.key)
    assert opened.exchanges == conversation.exchanges
    assert (opened.title, opened.asked) == (conversation.title, 2)
    assert opened.history() == conversation.history()


def test_half_characters_do_not_stop_a_conversation_from_being_saved(tmp_path):
    store, owner = ConversationStore(tmp_path), new_owner()
    conversation = talked(owner, "half \ud800")
    store.save(conversation)
    assert store.open(owner, conversation.key).exchanges[0].question == "half ?"


def test_damaged_files_and_strange_keys_are_no_conversations(tmp_path):
    store, owner = ConversationStore(tmp_path), new_owner()
    conversation = talked(owner, "How?")
    store.save(conversation)
    (tmp_path / owner / f"{new_owner()}.json").write_text("{", encoding="utf-8")
    assert [entry.key for entry in store.entries(owner)] == [conversation.key]
    for strange in ("", "..", "../x", "A" * 32, None, "\n" + owner):
        assert not is_key(strange)
        assert store.open(strange, conversation.key) is None
        assert store.entries(strange) == []
        store.delete(owner, strange)
    assert store.rename(owner, conversation.key, "  ") is None
    store.save(Conversation(owner="nobody"))
    assert [path.name for path in tmp_path.iterdir()] == [owner]


def test_only_so_many_conversations_are_kept(tmp_path):
    store, owner = ConversationStore(tmp_path), new_owner()
    (tmp_path / owner).mkdir()
    for _ in range(KEPT_MAX + 3):
        (tmp_path / owner / f"{new_owner()}.json").write_text("{}", encoding="utf-8")
    store.save(talked(owner, "How?"))
    assert len(list((tmp_path / owner).glob("*.json"))) == KEPT_MAX


def test_a_title_is_the_beginning_of_the_question():
    assert title_of(" How \n much? ") == "How much?"
    assert title_of("word " * 40) == "word " * 15 + "word…"
    assert title_of("x" * 90) == "x" * 80 + "…"


def test_the_list_of_conversations_is_text(tmp_path):
    store, owner = ConversationStore(tmp_path), new_owner()
    conversation = talked(owner, HOSTILE)
    store.save(conversation)
    page = saved_html(store.entries(owner), conversation.key)
    assert "<script" not in page
    assert f'class="cw-saved cw-current" id="cw-saved-{conversation.key}"' in page
    assert "kept here" in saved_html([], None)


# the queue


def test_people_come_before_batches_and_see_their_place():
    queue = DraftQueue()
    first, batch, second, third = queue.join(), queue.join(batch=True), queue.join(), queue.join()
    assert [place.ahead() for place in (first, second, third, batch)] == [0, 1, 2, 3]
    assert first.wait(0)
    assert not second.wait(0)
    second.leave()
    first.leave()
    first.leave()
    assert third.wait(0)
    assert not batch.wait(0)
    third.leave()
    assert batch.wait(0)
    batch.leave()
    assert queue.waiting() == 0


def test_whoever_waits_is_called_in():
    queue = DraftQueue()
    first, second = queue.join(), queue.join()
    called = []
    thread = threading.Thread(target=lambda: called.append(second.wait(30)))
    thread.start()
    first.leave()
    thread.join(30)
    assert called == [True]


# choices


def test_what_is_not_offered_becomes_the_default():
    app_state = AppState(FakeLibrary(), 4000)
    default = app_state.library.default()
    assert app_state.choice("../x", "many", None, "evil:model") == default
    assert app_state.choice(DEFAULT, 99, QUOTES_MODE, "none") == AssistantChoice(DEFAULT, 20, True, "none")
    assert app_state.choice(DEFAULT, 0, BALANCED_MODE, "none").papers == 1


def test_a_changed_collection_is_opened_again():
    library = FakeLibrary()
    pool = AssistantPool(library)
    library.add(PAPERS[:1], "mine", lambda *_: None)
    choice = AssistantChoice("mine", 8, False, "none")
    assert pool.of(choice).wait(30).papers_count == 1
    assert pool.of(choice) is pool.of(choice)
    library.add(PAPERS[1:], "mine", lambda *_: None)
    assert pool.of(choice).wait(30).papers_count == 3
    assert len(library.opened) == 2


def test_looking_at_a_failed_opening_does_not_repeat_it():
    def missing(_):
        raise ReadError("no papers", hint="Look elsewhere.")

    library = FakeLibrary(missing)
    pool = AssistantPool(library)
    with pytest.raises(ReadError):
        pool.of(library.default()).wait(30)
    assert pool.of(library.default()).readiness().state == "failed"
    assert len(library.opened) == 1


def test_collections_of_this_machine_are_found(tmp_path):
    library = LocalLibrary(Settings.load(cache_dir=tmp_path))
    assert [(info.name, info.papers) for info in library.collections()] == [(DEFAULT, None)]
    for name in ("mine", "papers-0123", "damaged"):
        folder = tmp_path / "index" / name / "gen-000001"
        folder.mkdir(parents=True)
        (folder.parent / "CURRENT").write_text("gen-000001 0\n", encoding="utf-8")
        (folder / "manifest.json").write_text('{"papers": 7}' if name != "damaged" else "{", encoding="utf-8")
    assert [(info.name, info.papers) for info in library.collections()[1:]] == [("mine", 7)]
    assert papers_in(tmp_path / "nowhere") is None
    assert (library.version("mine"), library.version("nowhere")) == ("gen-000001", None)


def test_the_generators_of_this_machine_begin_with_the_chosen_and_end_with_none(tmp_path):
    named = LocalLibrary(Settings.load(cache_dir=tmp_path, generator="ollama:tiny")).generators()
    assert (named[0], named[-1]) == ("ollama:tiny", "none")
    assert LocalLibrary(Settings.load(cache_dir=tmp_path, generator="none")).generators()[0] == "none"


def test_a_file_in_place_of_the_shipped_papers_goes_by_its_name(tmp_path):
    library = LocalLibrary(Settings.load(cache_dir=tmp_path), papers="/some/where/my.bib")
    assert library.collections()[0].label == "my.bib"
    assert not library.ships


@pytest.mark.parametrize("name", [DEFAULT, "../x", ""])
def test_uploads_never_go_into_the_shipped_papers_or_elsewhere(tmp_path, monkeypatch, name):
    library = LocalLibrary(Settings.load(cache_dir=tmp_path))
    monkeypatch.setattr(library, "_embedder", object())
    with pytest.raises(ReadError):
        library.add(PAPERS, name, lambda *_: None)


# papers


def test_papers_are_listed_by_title_and_filtered():
    papers = [*PAPERS, Paper("p0", "Éclair", "x")]
    assert [paper.paper_id for paper in by_title(papers)] == ["p3", "p2", "p0", "p1"]
    groups = {"p1": 0, "p2": 1, "p3": 0}
    assert [p.paper_id for p in matching(papers, PaperFilter(group=0), groups)] == ["p1", "p3"]
    assert [p.paper_id for p in matching(papers, PaperFilter(year_from=2021), groups)] == ["p1", "p2"]
    assert [p.paper_id for p in matching(papers, PaperFilter(year_to=2021), groups)] == ["p2", "p3"]
    assert years_of(papers) == (2020, 2023)
    assert years_of(papers[:1]) is None


def test_the_list_is_text_and_says_how_many_there_are():
    page = list_html([Paper("x", HOSTILE, HOSTILE), *PAPERS], shown_max=2, query="", topics={"x": "chip"})
    assert "4 papers, by title" in page
    assert page.count("<details") == 2
    assert "<script" not in page
    assert "chip" in page
    assert "best match first" in list_html(PAPERS, shown_max=2, query="x", topics={})
    assert "&lt;" not in list_html([], shown_max=2, query="<b>", topics={})
    assert "<b>" not in list_html([], shown_max=2, query="<b>", topics={})
    assert "<b>" not in topic_chip(1, "<b>")


def test_a_catalogue_is_made_once_for_each_index():
    app_state, assistant = AppState(FakeLibrary(), 4000), ChatAssistant()
    first = app_state.catalogue(assistant.index)
    assert app_state.catalogue(assistant.index) is first
    assert [paper.paper_id for paper in first.papers] == ["p3", "p2", "p1"]
    assert first.map.total == 3


def test_starters_are_about_the_papers_at_hand():
    assert starters(PAPERS, shipped=False)[0] == "What does “Mixer: a Layer in Linear Time” show?"
    assert "Monarch" in starters((), shipped=True)[0]
    assert starters((), shipped=False) == []


# uploads


def test_an_upload_keeps_good_papers_and_names_bad_rows_and_files(tmp_path):
    good, bad = tmp_path / "my papers<b>.jsonl", tmp_path / "scan.pdf"
    rows = [
        {"title": HOSTILE, "abstract": "An abstract that is long enough to be one. " * 3},
        {"title": "No text"},
    ]
    good.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    bad.write_bytes(b"%PDF-1.7 ...")
    upload = read_upload([good, bad])
    assert len(upload.papers) == 1
    assert [row.origin for row in upload.rejected] == [good.name, "scan.pdf"]
    assert str(tmp_path) not in preview_html(upload)
    assert "scan&#46;pdf is a PDF" in preview_html(upload)
    assert "2 rows rejected" in preview_html(upload)
    assert not any(tag in preview_html(upload) for tag in ("<script", "<b>&", "<img"))


@pytest.mark.parametrize(
    ("names", "name"),
    [
        (["My Papers (2).bib"], "my-papers-2"),
        (["default.csv"], "my-papers"),
        (["papers-1.csv"], "my-papers"),
        (["日本.bib"], "my-papers"),
        ([], "my-papers"),
        (["x.jsonl.gz"], "x"),
    ],
)
def test_a_collection_gets_a_name_from_its_file(names, name):
    assert collection_name(names) == name


@pytest.mark.parametrize(("typed", "name"), [(" my  papers ", "my-papers"), ("mine", "mine"), (None, "")])
def test_a_typed_name_has_hyphens_for_spaces(typed, name):
    assert typed_name(typed) == name


# reports


def test_the_newest_report_is_framed_and_none_is_explained(tmp_path):
    import os

    assert "citewise eval" in quality_html(last_report([tmp_path]))
    paths = [tmp_path / place / "citewise-eval" / "report.html" for place in ("a", "b")]
    for age, path in enumerate(paths):
        path.parent.mkdir(parents=True)
        path.write_text("<html>", encoding="utf-8")
        os.utime(path, (1e9 + age, 1e9 + age))
    assert last_report([tmp_path / "a", tmp_path / "b", tmp_path / "c"]) == paths[1]
    page = quality_html(paths[1])
    assert 'sandbox="allow-scripts"' in page
    assert 'src="/quality/report?1000000001"' in page
