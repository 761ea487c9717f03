"""The chat page without a browser: what is rendered, what is refused, what every response carries."""

from __future__ import annotations

import html
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from chat_assistant import ABSTRACT, CARRYING, HOSTILE, ChatAssistant, FakeLibrary, answer_to, draft_of
from hypothesis import given, settings
from hypothesis import strategies as st

import app as door
from rag.errors import ModelMissing, OutputError
from rag.text.clean import clean
from rag.text.escape import escape, escape_lines, web_host
from rag.types import (
    Abstention,
    Answer,
    DraftToken,
    Event,
    Failure,
    Paper,
    Quote,
    Sentence,
    StageStarted,
    Turn,
)
from rag.ui.actions import Actions
from rag.ui.app_state import AppState
from rag.ui.chat import Chat, ChatRequest, View
from rag.ui.html.answer import confidence_words, exchange_html, notice_html, pending_html
from rag.ui.html.citations import support_of
from rag.ui.html.evidence import marked, meta
from rag.ui.state.conversation import Conversation, Exchange, Pending
from rag.ui.state.conversation_store import new_owner
from rag.web.addresses import is_loopback

ALLOWED = {"div", "span", "a", "b", "s", "h3", "mark", "details", "summary", "br", "button"}


class Elements(HTMLParser):
    """Every element with its attributes, and the text between."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(str(page))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def rendered(question: str) -> str:
    return exchange_html(Exchange(1, question, answer_to(question)))


def state_over(opener=None, limit: int = 4000) -> AppState:
    return AppState(FakeLibrary(opener), limit)


def chat_over(opener=None, limit: int = 4000) -> Chat:
    return state_over(opener, limit).chat


def asked(chat: Chat, question: str, conversation: Conversation | None = None) -> list[View]:
    return list(asking(chat, question, conversation or Conversation()))


def asking(chat: Chat, question: str, conversation: Conversation, **how: bool) -> Iterator[View]:
    return chat.ask(ChatRequest(question, FakeLibrary().default(), **how), conversation)


# text


@settings(deadline=None)
@given(st.text(max_size=60))
def test_inert_text_holds_no_punctuation_and_reads_as_it_was(text):
    shown = str(escape(text))
    assert not re.search(r"[<>\"'`$\[\](){}*_!\\|~^]", shown)
    assert all(ord(c) > 31 for c in html.unescape(shown))


def test_inert_text_keeps_what_is_visible():
    assert html.unescape(escape("a <b> & 'c' $x$ [1](u)")) == "a <b> & 'c' $x$ [1](u)"
    assert escape("a\u202eb\x1b\0c\ud800") == "abc\ufffd"
    assert escape_lines("one\r\n\n\n\ntwo") == "one<br><br>two"


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.invalid",
        "https://user:pass@evil.invalid/",
        "http://[::1",
        "https://ev il/",
        "ftp://host/x",
        "https://аррӏе.com/",
    ],
)
def test_only_plain_web_addresses_become_links(url):
    assert web_host(url) is None
    assert "<a" not in meta(Paper("p", "T", "a", url=url))


def test_a_link_shows_its_host():
    page = meta(Paper("p", "T", "a", url=" https://arxiv.org/abs/1?a=1&b=<2>"))
    _, (tag, attributes) = Elements(page).found
    assert (tag, attributes["href"]) == ("a", "https://arxiv.org/abs/1?a=1&b=<2>")
    assert attributes["rel"] == "noopener noreferrer nofollow"
    assert "arxiv&#46;org" in page


def test_the_quoted_characters_are_marked_in_the_cleaned_abstract():
    start = ABSTRACT.index(CARRYING)
    page = marked(ABSTRACT, [Quote(CARRYING, start, start + len(CARRYING))])
    assert html.unescape(re.findall("<mark>(.*?)</mark>", page)[0]) == clean(CARRYING)
    assert "9.1x higher" in Elements(page).text
    assert Elements(page).text == clean(ABSTRACT)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), max_size=4))
def test_overlapping_and_odd_spans_lose_no_character(spans):
    quotes = [Quote("", min(span), max(span)) for span in spans]
    assert Elements(marked(ABSTRACT, quotes)).text == clean(ABSTRACT)


# answers


def test_an_answer_links_its_marks_to_the_evidence():
    page = Elements(rendered("How much higher throughput?"))
    hrefs = [a["href"] for tag, a in page.found if str(a.get("class")).startswith("cw-cite")]
    ids = [a["id"] for _, a in page.found if "id" in a]
    assert hrefs == ["#cw-1-1"]
    assert "cw-1-1" in ids
    assert "Answered" in page.text
    assert "high · 0.91" in page.text
    assert "2023 · NeurIPS · arxiv.org" in page.text
    assert "support 0.93" in page.text
    assert "Dropped by the checks (1)" in page.text
    assert "prize is not in the evidence · support 0.10" in page.text
    assert "Also found, not used (2)" in page.text


def test_a_quotation_names_its_paper_and_is_plain_about_it():
    page = rendered("quote throughput")
    assert "Quoted" in page
    assert '<div class="cw-paper">Mixer&#58; a Layer in Linear Time</div>' in page


def test_an_answer_about_several_papers_is_a_list_with_their_titles():
    answer = answer_to("quote throughput")
    second = replace(answer.citations[0], key=2, title="Attention Without Tears")
    text = f"- {answer.text}\n- {second.title}: “It is slow.” [2] “It is fast.” [2]"
    answer = replace(answer, text=text, citations=(answer.citations[0], second))
    page = exchange_html(Exchange(1, "q", answer))
    assert page.count('<div class="cw-item"><div class="cw-paper">') == 2
    assert '<div>“It is slow&#46;” <a class="cw-cite ' in page
    assert '<div>“It is fast&#46;” <a class="cw-cite ' in page


def test_an_abstention_names_the_closest_papers():
    text = Elements(rendered("What is the capital of France?")).text
    assert "Not in this collection" in text
    assert "Nothing in this collection bears on it." in text
    assert "low · 0.03" in text
    assert "Closest papers" in text
    assert "Attention Without Tears" in text


def test_closest_papers_are_named_even_without_their_passages():
    refusal = Abstention("low_confidence", "No.", ("Lost Paper",))
    answer = Answer("q", "q", "abstained", "No.", 0.2, abstention=refusal)
    assert "Lost Paper" in exchange_html(Exchange(1, "q", answer))


def test_a_rewritten_question_is_shown():
    assert "Read as: What did Mixer cost?" in Elements(rendered("What did it cost?")).text
    assert "Read as" not in rendered("What did Mixer cost?")


def test_a_failure_is_shown_with_its_hint():
    failure = Failure("ModelMissing", "no <model>", "run this")
    text = Elements(exchange_html(Exchange(1, "q", None, failure))).text
    assert "no <model>" in text
    assert "run this" in text


@pytest.mark.parametrize(
    ("value", "words"), [(0.8, "high · 0.80"), (0.5, "medium · 0.50"), (0, "low · 0.00")]
)
def test_confidence_is_a_word_and_a_number(value, words):
    assert confidence_words(value) == words


def test_a_draft_is_called_a_draft_and_timed():
    pending = Pending("q")
    for event in (StageStarted("searching", 0.0), StageStarted("writing", 0.4), DraftToken("It is")):
        pending.take(event)
    text = Elements(pending_html(pending)).text
    assert "searching 0.4 s" in text
    assert "Draft, not yet checked" in text
    assert "It is" in text


def test_a_draft_begun_anew_replaces_the_one_before():
    pending = Pending("q")
    for event in (StageStarted("writing", 0.1), DraftToken("It was"), StageStarted("reading", 0.2)):
        pending.take(event)
    assert "It was" in Elements(pending_html(pending)).text
    for event in (StageStarted("writing", 0.4), DraftToken("It is")):
        pending.take(event)
    assert "It is" in Elements(pending_html(pending)).text
    assert "It was" not in Elements(pending_html(pending)).text


def test_hostile_text_becomes_no_element_no_link_and_no_blank_line():
    pending = Pending(f"hostile {HOSTILE}")
    pending.take(DraftToken(draft_of("hostile")))
    pages = [rendered(f"hostile {HOSTILE}"), pending_html(pending), notice_html(HOSTILE, HOSTILE)]
    for page in pages:
        elements = Elements(page)
        assert {tag for tag, _ in elements.found} <= ALLOWED
        assert not any(name.startswith("on") for _, a in elements.found for name in a)
        links = [a["href"] for _, a in elements.found if "href" in a]
        assert set(links) <= {"#cw-1-1", "https://evil.invalid/paper", "https://arxiv.org/abs/1"}
        assert "\n" not in page
        assert "<script>window.hurt=1</script>" in elements.text
    assert "[7]" in Elements(pages[0]).text


# what happens when a person asks


def test_asking_shows_the_draft_and_then_the_answer_in_its_place():
    views = asked(chat_over(), "How much higher throughput?")
    assert views[0].question == ""
    assert views[0].busy
    assert any(view.live and "Draft, not yet checked" in view.live for view in views)
    assert views[-1].live == ""
    assert "Answered" in views[-1].log
    assert "2.5x" not in views[-1].log
    assert not views[-1].busy


def test_followups_are_asked_with_what_was_said():
    assistant = ChatAssistant()
    chat = chat_over(lambda _: assistant)
    conversation = asked(chat, "How much higher throughput?")[-1].conversation
    asked(chat, "What is the capital of France?", conversation)
    asked(chat, "And what did it cost?", conversation)
    assert assistant.histories[1] == (
        Turn("user", "How much higher throughput?"),
        Turn("assistant", "Mixer reaches 9.1x higher throughput at 4K [1]."),
    )
    assert len(assistant.histories[2]) == 4


@pytest.mark.parametrize(("question", "told"), [("  ", "Type a question"), ("x" * 4001, "4,001")])
def test_what_cannot_be_asked_is_refused_with_a_sentence(question, told):
    (view,) = asked(chat_over(), question)
    assert told in Elements(view.notice).text
    assert view.question is None
    assert not view.conversation.exchanges


def test_errors_of_citewise_are_shown_and_the_next_question_is_answered():
    chat = chat_over()
    conversation = asked(chat, "please fail")[-1].conversation
    assert "Ask again." in Elements("".join(conversation.rendered)).text
    assert "Answered" in asked(chat, "How?", conversation)[-1].log


def test_a_crash_leaves_nothing_pending():
    chat, conversation = chat_over(), Conversation()
    with pytest.raises(RuntimeError):
        asked(chat, "please crash", conversation)
    assert "Something broke" in Elements(chat.settle(conversation).log).text
    assert conversation.pending is None
    assert "Answered" in asked(chat, "How?", conversation)[-1].log


def test_a_stopped_question_shows_no_draft():
    chat, conversation = chat_over(), Conversation()
    for view in asking(chat, "How much higher throughput?", conversation):
        if view.live and "Draft" in view.live:
            chat.stop(conversation)
    assert "You stopped this question" in Elements(view.log).text
    assert "2.5x" not in view.log
    assert conversation.history() == ()


def test_one_question_at_a_time():
    chat, conversation = chat_over(), Conversation()
    running = asking(chat, "How much higher throughput?", conversation)
    next(running)
    assert "One question at a time" in Elements(asked(chat, "And?", conversation)[0].notice).text


def test_a_new_conversation_forgets_what_was_said():
    assistant = ChatAssistant()
    chat = chat_over(lambda _: assistant)
    conversation = asked(chat, "How much higher throughput?")[-1].conversation
    fresh = chat.turn_to(Conversation(), conversation)
    assert fresh.log == fresh.live == fresh.question == ""
    asked(chat, "And what did it cost?", fresh.conversation)
    assert assistant.histories[-1] == ()


def test_turning_to_another_conversation_gives_up_the_question_on_its_way():
    chat, conversation, other = chat_over(), Conversation(), Conversation()
    running = asking(chat, "How much higher throughput?", conversation)
    next(running)
    assert chat.turn_to(other, conversation).log is None
    last = list(running)[-1]
    assert last.conversation is other
    assert last.log == last.live == ""
    assert not last.busy
    assert "Answered" in asked(chat, "How?", other)[-1].log


def test_an_edited_rewriting_is_asked_without_what_was_said():
    assistant = ChatAssistant()
    chat = chat_over(lambda _: assistant)
    conversation = asked(chat, "How much higher throughput?")[-1].conversation
    list(asking(chat, "What did Mixer cost?", conversation, alone=True))
    assert assistant.histories[-1] == ()


def test_searching_never_waits_and_drafts_are_written_one_after_the_other():
    chat, first, second, third = chat_over(), Conversation(), Conversation(), Conversation()
    running = asking(chat, "How much higher throughput?", first)
    next(view for view in running if view.live and "Draft" in view.live)
    behind = asking(chat, "How?", second)
    next(view for view in behind if view.live and "waiting to write" in view.live)
    last = asking(chat, "How?", third)
    waiting = Elements(next(view for view in last if "waiting to write" in (view.live or "")).live).text
    assert "searching" in waiting
    assert "reading" in waiting
    assert "waiting to write: 2 before you" in waiting
    assert "Not in this collection" in asked(chat, "What is the capital of France?")[-1].log
    for _ in running:
        pass
    assert "Answered" in list(behind)[-1].log
    assert "Answered" in list(last)[-1].log


def test_an_abandoned_question_lets_the_next_one_in():
    chat = chat_over()
    running = asking(chat, "How much higher throughput?", Conversation())
    next(view for view in running if view.live and "Draft" in view.live)
    running.close()
    assert "Answered" in asked(chat, "How?")[-1].log


def test_a_conversation_that_cannot_be_saved_is_told_and_shown(monkeypatch):
    app_state = state_over()

    def full(*_):
        raise OutputError("The disk is full.", hint="Make room.")

    monkeypatch.setattr(app_state.store, "save", full)
    view = asked(app_state.chat, "How much higher throughput?", Conversation(owner=new_owner()))[-1]
    assert "Answered" in view.log
    assert "The disk is full." in Elements(view.notice).text


# what page.js hands over


def spoken(app_state: AppState, *questions: str) -> Conversation:
    conversation = Conversation(owner=new_owner())
    for question in questions:
        asked(app_state.chat, question, conversation)
    return conversation


def test_a_vote_is_written_with_what_was_said_before_it_and_shown_from_then_on():
    app_state = state_over()
    conversation = spoken(app_state, "How much higher throughput?", "And what did it cost?")
    actions = Actions(app_state, dict)
    actions.view_after({"do": "up", "number": "2"}, conversation, conversation.owner)
    actions.view_after({"do": "down", "number": "2", "note": "wrong <b>"}, conversation, conversation.owner)
    (line,) = map(json.loads, app_state.votes.read_text(encoding="utf-8").splitlines())
    assert (line["question"], line["verdict"], line["note"]) == ("And what did it cost?", "down", "wrong <b>")
    assert [turn["role"] for turn in line["history"]] == ["user", "assistant"]
    assert line["answer"]["status"] == "answered"
    assert 'cw-vote cw-on" id="cw-down-2"' in conversation.rendered[1]


@pytest.mark.parametrize("told", ["", "[]", "{", "null", '{"do": "rm"}', '{"do": "up", "number": "99"}'])
def test_wishes_that_are_none_change_nothing(told):
    app_state = state_over()
    conversation = spoken(app_state, "How much higher throughput?")
    view = Actions(app_state, lambda view: {"view": view}).act(told, conversation, conversation.owner)["view"]
    assert view.conversation is conversation
    assert not app_state.votes.exists()


def test_a_saved_conversation_is_opened_renamed_and_deleted_by_its_owner_only():
    app_state = state_over()
    conversation = spoken(app_state, "How much higher throughput?")
    owner, key = conversation.owner, conversation.key
    actions, elsewhere = Actions(app_state, dict), Conversation(owner=new_owner())
    for wish in ({"do": "open"}, {"do": "rename", "title": "x"}, {"do": "delete"}):
        actions.view_after(wish | {"key": key}, elsewhere, elsewhere.owner)
        actions.view_after(wish | {"key": "../" + key}, elsewhere, owner)
    actions.view_after({"do": "rename", "key": key, "title": " New <b> "}, conversation, owner)
    assert [entry.title for entry in app_state.store.entries(owner)] == ["New <b>"]
    opened = actions.view_after({"do": "open", "key": key}, Conversation(owner=owner), owner)
    assert opened.log == "".join(conversation.rendered)
    assert asked(app_state.chat, "And?", opened.conversation)[-1].conversation.asked == 2
    gone = actions.view_after({"do": "delete", "key": key}, opened.conversation, owner)
    assert gone.log == ""
    assert app_state.store.entries(owner) == []


def test_each_mark_knows_the_support_of_its_own_sentence():
    sentences = [Sentence("It is fast.", (1,), 0.9), Sentence("It is cheap.", (1, 2), 0.7)]
    assert support_of("It is fast ", 1, sentences) == pytest.approx(90)
    assert support_of(" “It is cheap.” ", 1, sentences) == pytest.approx(70)
    assert support_of("It is cheap. ", 2, sentences) == pytest.approx(70)
    assert support_of("Something else", 1, sentences) == pytest.approx(70)
    assert support_of("It is fast.", 3, sentences) == 0


# opening


def test_questions_wait_for_the_models_and_say_so():
    gate = threading.Event()

    def slow(progress):
        progress("embedding", 80, 159)
        gate.wait(30)
        return ChatAssistant()

    chat = chat_over(slow)
    running = asking(chat, "How?", Conversation())
    next(running)
    assert "Getting ready: embedding 80 of 159" in Elements(next(running).live).text
    gate.set()
    assert "Answered" in list(running)[-1].log


def test_a_failed_opening_is_told_and_can_be_repeated():
    ready = False

    def missing(_):
        if ready:
            return ChatAssistant()
        raise ModelMissing("no model here", hint="make setup")

    chat = chat_over(missing)
    failed = asked(chat, "How?")[-1]
    assert "make setup" in Elements(failed.log).text
    ready = True
    assert "Answered" in asked(chat, "How?")[-1].log


# the server


@pytest.fixture(scope="module")
def client() -> Iterator[object]:
    from starlette.testclient import TestClient

    from rag.ui.server import build_app

    with TestClient(build_app(FakeLibrary()), base_url="http://127.0.0.1:7860") as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/theme.css", "/config", "/nowhere"])
def test_every_response_carries_the_policy(client, path):
    headers = client.get(path).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe-eval" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("host", ["evil.invalid", "127.0.0.1.evil.invalid", "", "evil.invalid:7860"])
def test_a_spoofed_host_is_refused(client, host):
    refused = client.get("/", headers={"host": host})
    assert refused.status_code == 400
    assert refused.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:7860", "[::1]:7860", "localhost"])
def test_a_loopback_host_is_served(client, host):
    assert client.get("/", headers={"host": host}).status_code == 200


def test_pages_of_other_sites_can_neither_post_nor_read(client):
    join = "/gradio_api/queue/join"
    evil = {"origin": "http://evil.invalid"}
    assert client.post(join, json={}, headers=evil).status_code == 403
    assert client.post(join, json={}, headers={"origin": "null"}).status_code == 403
    assert "access-control-allow-origin" not in client.get("/config", headers=evil).headers


def test_large_and_endless_requests_are_refused(client):
    assert client.post("/gradio_api/queue/join", content=b"x" * 300_000).status_code == 413
    large = {"content-length": str(65 * 1024 * 1024)}
    assert client.post("/gradio_api/upload", content=b"x", headers=large).status_code == 413
    assert client.post("/gradio_api/upload", content=iter([b"x"])).status_code == 411


def test_nothing_is_offered_as_an_api_and_nothing_leaves_the_machine(client):
    config = client.get("/config").json()
    assert not config["analytics_enabled"]
    assert {d["api_visibility"] for d in config["dependencies"]} == {"private"}
    assert client.get("/gradio_api/info").json()["named_endpoints"] == {}
    assert client.get("/monitoring").status_code != 200
    assert client.get("/openapi.json").status_code == 404
    assert "googleapis" not in client.get("/").text + client.get("/theme.css").text


# the door


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
def test_loopback_hosts(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.0.4", "example.org"])
def test_hosts_that_others_reach_are_refused(host, capsys):
    assert door.main(["--host", host, "--port", "0"]) == 2
    assert "no login" in capsys.readouterr().err


def test_a_taken_port_is_named(capsys):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert door.main(["--port", str(port)]) == 2
    assert f"Port {port}" in capsys.readouterr().err


def test_the_environment_sets_the_defaults(monkeypatch, capsys):
    monkeypatch.setenv("CITEWISE_HOST", "0.0.0.0")
    assert door.main([]) == 2
    monkeypatch.setenv("CITEWISE_PORT", "http")
    with pytest.raises(SystemExit) as stopped:
        door.main(["--host", "127.0.0.1"])
    assert stopped.value.code == 2
    assert "not a port" in capsys.readouterr().err


def test_the_page_module_is_not_loaded_before_it_is_needed():
    import subprocess
    import sys

    code = "import sys, app; sys.exit(any(m in sys.modules for m in ('gradio', 'torch', 'fastapi')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_stream_that_ends_without_an_answer_is_a_failure():
    class Mute(ChatAssistant):
        def stream(self, question: str, history=()) -> Iterator[Event]:
            yield StageStarted("searching", 0.0)

    assert "Something broke" in Elements(asked(chat_over(lambda _: Mute()), "How?")[-1].log).text
