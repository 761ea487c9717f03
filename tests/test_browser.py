"""The page in a real Chromium: what people do with it, from asking to downloading; safety; phone width.

Needs Debian's chromium (`apt-get install chromium`); skipped, and said so, where there is none.
BROWSER_PATIENCE_MS: how long to wait for anything, for slow machines.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import bibtexparser
import pytest
from chat_assistant import HOSTILE, FakeLibrary

CHROMIUM = shutil.which("chromium")
PATIENCE_MS = int(os.environ.get("BROWSER_PATIENCE_MS", "60000"))
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TOKEN_S = 0.05
WIDE = "document.documentElement.scrollWidth > window.innerWidth"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]


class Served:
    """The page over a library, on a free port."""

    def __init__(self, library) -> None:
        import uvicorn

        from rag.ui.server import build_app

        self.library = library
        listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn.Config(build_app(library), log_level="warning"))
        self._thread = threading.Thread(target=self._server.run, args=([listener],))
        self._thread.start()
        while not self._server.started:
            time.sleep(0.05)

    def close(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(20)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    served = Served(FakeLibrary(token_s=TOKEN_S))
    yield served
    served.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=4 * PATIENCE_MS)
        yield browser
        browser.close()


class Tab:
    """A browser of its own that remembers what it asked other hosts for and what went wrong."""

    def __init__(self, browser, address: str, width: int = 1280, height: int = 900, **how) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": height}, **how)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.elsewhere: list[str] = []
        self.errors: list[str] = []
        own = (address, "data:", "blob:")
        self.page.on("request", lambda r: r.url.startswith(own) or self.elsewhere.append(r.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(address, timeout=PATIENCE_MS)
        self.page.wait_for_selector("#cw-question textarea")
        self.page.wait_for_selector("text=159 papers")

    def type(self, question: str) -> None:
        self.page.fill("#cw-question textarea", question)
        self.page.press("#cw-question textarea", "Enter")

    def holds(self, selector: str, count: int) -> None:
        """Wait until so many elements are there. Asked from outside: the page forbids evaluating strings."""
        from playwright.sync_api import expect

        expect(self.page.locator(selector)).to_have_count(count, timeout=PATIENCE_MS)

    def answered(self, count: int = 1) -> None:
        """Wait until this many exchanges have ended and the page is at rest."""
        self.holds("#cw-log .cw-turn", count)
        self.holds("#cw-live .cw-turn", 0)
        self.page.wait_for_selector("#cw-send", state="visible")

    def ask(self, question: str, count: int = 1) -> None:
        self.type(question)
        self.answered(count)

    def go(self, name: str) -> None:
        self.page.click(f"#cw-tab-{name}-button")

    def download(self, selector: str) -> Path:
        with self.page.expect_download() as expected:
            self.page.click(selector)
        return Path(expected.value.path())

    def quiet(self) -> None:
        """Nothing was fetched from elsewhere, nothing broke."""
        assert self.elsewhere == []
        assert self.errors == []


@pytest.fixture
def tab(browser, served) -> Iterator[Tab]:
    tab = Tab(browser, served.address)
    yield tab
    tab.context.close()


# asking


def test_a_draft_is_streamed_and_replaced_by_a_cited_answer(tab):
    page = tab.page
    tab.type("How much higher throughput, slowly?")
    page.wait_for_selector(".cw-draft >> text=Draft, not yet checked")
    page.wait_for_selector(".cw-draft >> text=2.5x")
    assert page.is_visible("#cw-stop")
    assert "writing" in page.inner_text(".cw-stages")
    tab.answered()
    assert "[1]" in page.inner_text(".cw-answer")
    assert page.locator(".cw-draft").count() == 0
    assert page.locator(".cw-abstract mark").is_hidden()
    page.click("a.cw-cite")
    mark = page.locator(".cw-abstract mark")
    mark.wait_for(state="visible")
    assert mark.inner_text() == "It reaches 9.1x higher throughput at sequence length 4K."
    page.click("summary:has-text('Dropped by the checks')")
    assert page.is_visible("s:has-text('It won every prize')")
    assert page.is_visible(".cw-reason:has-text('prize is not in the evidence')")
    tab.quiet()


def test_pointing_at_a_mark_or_reaching_it_by_keyboard_shows_its_source(tab):
    page = tab.page
    tab.ask("How much higher throughput?")
    page.hover("a.cw-cite")
    page.wait_for_selector(".cw-pop")
    shown = page.inner_text(".cw-pop")
    assert "Mixer: a Layer in Linear Time" in shown
    assert "2023" in shown
    assert "support 0.93" in shown
    assert page.inner_text(".cw-pop mark").startswith("It reaches 9.1x")
    page.keyboard.press("Escape")
    page.wait_for_selector(".cw-pop", state="detached")
    page.mouse.move(2, 400)
    page.focus("#cw-question textarea")
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.matches('a.cw-cite')"):
            break
    page.wait_for_selector(".cw-pop >> text=support 0.93")


def test_an_abstention_shows_the_closest_papers(tab):
    tab.page.click("button:has-text('capital of France')")
    tab.answered()
    assert tab.page.is_visible("text=Not in this collection")
    assert tab.page.is_visible(".cw-side >> text=Mixer: a Layer in Linear Time")
    assert not tab.page.is_visible("#cw-start")


def test_a_followup_is_rewritten_edited_and_asked_again(tab, served):
    tab.ask("How much higher throughput?")
    tab.ask("How much does it cost?", 2)
    page = tab.page
    assert page.is_visible("text=Read as: How much does Mixer cost?")
    page.click(".cw-edit")
    assert page.input_value(".cw-field") == "How much does Mixer cost?"
    page.fill(".cw-field", "How much does Mixer weigh?")
    page.press(".cw-field", "Enter")
    tab.answered(3)
    assert "How much does Mixer weigh?" in page.inner_text("#cw-turn-3 .cw-question")


def test_stop_discards_the_draft_and_the_page_goes_on(tab):
    tab.type("How much higher throughput, slowly?")
    tab.page.wait_for_selector(".cw-draft")
    tab.page.click("#cw-stop")
    tab.answered()
    assert tab.page.is_visible("text=You stopped this question")
    assert not tab.page.is_visible("text=2.5x")
    tab.ask("How much does it cost?", 2)
    assert tab.page.is_visible("text=Read as: How much does Mixer cost?")


def test_long_questions_and_failures_are_explained(tab):
    page = tab.page
    tab.type("x" * 4001)
    page.wait_for_selector("text=the limit is 4,000")
    assert len(page.input_value("#cw-question textarea")) == 4001
    tab.ask("please fail")
    assert page.is_visible("text=The generator broke <b>down</b>.")
    assert page.is_visible("text=Ask again.")
    tab.ask("please crash", 2)
    assert page.is_visible("text=Something broke while answering.")
    tab.ask("How much higher throughput?", 3)


def test_options_are_what_the_next_question_is_asked_with(tab, served):
    page = tab.page
    page.click("#cw-options button")
    page.click("label:has-text('Quotes only')")
    page.wait_for_selector("#cw-options button:has-text('quotes only')")
    page.fill("#cw-options input[type='number']", "3")
    page.press("#cw-options input[type='number']", "Enter")
    page.wait_for_selector("#cw-options button:has-text('3 papers')")
    tab.ask("How much higher throughput?")
    assert (served.library.opened[-1].papers, served.library.opened[-1].strict) == (3, True)


# what is kept


def test_thumbs_copy_and_export(tab, served):
    page = tab.page
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    question = f"How much higher throughput ({time.time()})?"
    tab.ask(question)
    page.click(".cw-copy")
    page.wait_for_selector("text=Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("Mixer reaches 9.1x higher throughput at 4K [1].\n\n[1] Mixer")
    page.click("#cw-up-1")
    page.click("#cw-down-1")
    page.fill(".cw-actions .cw-field", "Not what I asked")
    page.press(".cw-actions .cw-field", "Enter")
    page.wait_for_selector("text=Thank you")
    votes = [json.loads(line) for line in _votes(served).read_text(encoding="utf-8").splitlines()]
    own = [vote for vote in votes if vote["question"] == question]
    assert [(vote["verdict"], vote["note"]) for vote in own] == [("down", "Not what I asked")]
    page.click("#cw-export button")
    page.wait_for_selector("#cw-export .cw-download:not([disabled]) >> nth=3")
    made = tab.download(".cw-download:has-text('BibTeX')").read_text(encoding="utf-8")
    assert bibtexparser.parse_string(made).entries[0].fields_dict["year"].value == "2023"
    assert (
        question
        in json.loads(tab.download("#cw-export .cw-download:has-text('JSON')").read_text(encoding="utf-8"))[
            "title"
        ]
    )
    assert "9.1x" in tab.download(".cw-download:has-text('Markdown')").read_text(encoding="utf-8")
    assert tab.download(".cw-download:has-text('RIS')").read_text(encoding="utf-8").startswith("TY  - GEN")
    tab.quiet()


def _votes(served: Served) -> Path:
    return served.library.settings.data_dir / "thumbs.jsonl"


def test_conversations_are_kept_renamed_opened_and_deleted(browser, served, tab):
    page = tab.page
    tab.ask("How much higher throughput?")
    page.click("#cw-new")
    page.wait_for_selector("#cw-start", state="visible")
    tab.ask("What is the capital of France?")
    page.reload()
    page.wait_for_selector("#cw-question textarea")
    page.click(".cw-menu")
    page.wait_for_selector(".cw-saved >> nth=1")
    page.hover(".cw-saved >> nth=0")
    page.click(".cw-rename >> nth=0")
    page.fill(".cw-saved .cw-field", "Geography <b>")
    page.press(".cw-saved .cw-field", "Enter")
    page.wait_for_selector(".cw-open:has-text('Geography <b>')")
    page.click(".cw-open:has-text('How much higher')")
    tab.answered()
    assert "Mixer reaches" in page.inner_text(".cw-answer")
    page.click(".cw-menu")
    page.hover(".cw-saved:has-text('Geography')")
    page.click(".cw-saved:has-text('Geography') .cw-delete")
    page.click(".cw-saved:has-text('Geography') .cw-delete")
    page.wait_for_selector(".cw-saved:has-text('Geography')", state="detached")
    other = Tab(browser, served.address)
    other.page.click(".cw-menu")
    other.page.wait_for_selector("text=will be kept here")
    other.context.close()


def test_a_new_conversation_clears_the_page_even_while_writing(tab):
    tab.ask("How much higher throughput?")
    tab.type("How much higher throughput, slowly?")
    tab.page.wait_for_selector(".cw-draft")
    tab.page.click("#cw-new")
    tab.page.wait_for_selector("#cw-start", state="visible")
    tab.page.wait_for_timeout(1500)
    assert tab.page.locator(".cw-turn").count() == 0
    assert tab.page.is_visible("#cw-send")
    tab.ask("How much does it cost?")


# several people


def test_two_browsers_do_not_mix_and_see_the_line(browser, served, tab):
    other = Tab(browser, served.address)
    tab.type("How much higher throughput, slowly?")
    tab.page.wait_for_selector(".cw-draft")
    other.type("quote something")
    other.page.wait_for_selector("text=waiting to write: 1 before you")
    other.go("papers")
    other.page.fill("#cw-search textarea, #cw-search input", "tears")
    other.page.wait_for_selector(".cw-count:has-text('1 paper, best match first')")
    other.go("chat")
    assert other.page.is_visible("text=waiting to write: 1 before you")
    tab.page.click("#cw-stop")
    tab.answered()
    other.answered()
    assert "Quoted" in other.page.inner_text("#cw-log")
    assert "You stopped" in tab.page.inner_text("#cw-log")
    other.context.close()


def test_closing_the_browser_frees_the_work(browser, served, tab):
    leaving = Tab(browser, served.address)
    leaving.type("How much higher throughput, slowly, slowly?")
    leaving.page.wait_for_selector(".cw-draft")
    tab.type("How?")
    tab.page.wait_for_selector("text=waiting to write: 1 before you")
    leaving.context.close()
    tab.answered()
    assert "Answered" in tab.page.inner_text("#cw-log")


# papers


def test_papers_are_searched_mapped_and_asked_about(tab):
    page = tab.page
    tab.go("papers")
    page.wait_for_selector(".cw-map svg")
    assert page.locator(".cw-dot").count() == 3
    page.fill("#cw-search textarea, #cw-search input", "mixer")
    page.wait_for_selector(".cw-count:has-text('1 paper, best match first')")
    page.wait_for_selector(".cw-dot.cw-faint")
    page.hover(".cw-dot:not(.cw-faint)")
    page.wait_for_selector(".cw-map-tip:has-text('Mixer: a Layer in Linear Time')")
    page.click(".cw-entry summary")
    page.click(".cw-ask")
    tab.answered()
    assert page.inner_text(".cw-question") == "What does “Mixer: a Layer in Linear Time” show?"
    tab.go("papers")
    page.click(".cw-dot >> nth=1")
    tab.answered(2)
    tab.quiet()


def test_papers_of_ones_own_are_added_and_asked_about(tab, tmp_path):
    page = tab.page
    mine = tmp_path / "my <b>papers.jsonl"
    rows = [{"title": HOSTILE, "abstract": "We show that an upload is text. " * 5}, {"title": "no abstract"}]
    mine.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    bad = tmp_path / "scan.pdf"
    bad.write_bytes(b"%PDF-1.7")
    tab.go("add")
    page.set_input_files("#cw-upload-files input[type=file]", [mine, bad])
    page.wait_for_selector("text=1 paper read from")
    assert page.is_visible("text=2 rows rejected")
    assert page.is_visible("text=is a PDF")
    page.fill("#cw-upload-name input", "mine")
    page.press("#cw-upload-name input", "Enter")
    page.click("#cw-upload-add")
    page.wait_for_selector("text=mine now holds 1 paper: 1 added.")
    page.click("text=Ask these papers")
    page.wait_for_selector("#cw-ready:has-text('1 paper')")
    page.wait_for_selector("#cw-examples button:has-text('<script>')")
    tab.ask("How much higher throughput?")
    tab.go("papers")
    page.wait_for_selector(".cw-count:has-text('1 paper, by title')")
    assert page.evaluate("window.hurt") is None
    tab.quiet()


def test_a_name_that_cannot_be_used_says_why(tab, tmp_path):
    page = tab.page
    mine = tmp_path / "busy.jsonl"
    mine.write_text(
        json.dumps({"title": "T", "abstract": "An abstract of some words. " * 5}), encoding="utf-8"
    )
    tab.go("add")
    page.set_input_files("#cw-upload-files input[type=file]", mine)
    page.wait_for_selector("text=1 paper read from busy.jsonl")
    page.click("#cw-upload-add")
    page.wait_for_selector("text=another process is writing this collection")


# batch


def test_a_batch_from_upload_to_download_with_cancel_and_resume(tab, tmp_path):
    page = tab.page
    questions = tmp_path / "twenty <i>.csv"
    rows = ["question", *(f"France {i}?" if i % 4 == 3 else f"How {i}?" for i in range(20))]
    questions.write_text("\n".join(rows), encoding="utf-8")
    tab.go("batch")
    page.set_input_files("#cw-batch-file input[type=file]", questions)
    page.wait_for_selector("text=20 questions in")
    page.click("#cw-batch-start")
    page.wait_for_selector(".cw-progress:has-text('a minute')")
    page.click("#cw-batch-cancel")
    page.wait_for_selector(".cw-progress:has-text('Cancelled')")
    page.click("#cw-batch-start:has-text('Go on')")
    page.wait_for_selector(".cw-progress:has-text('20 of 20')")
    page.wait_for_selector(".cw-progress:has-text('Done')")
    assert "were there already" in page.inner_text(".cw-progress")
    page.click("#cw-batch-status label:has-text('Not here')")
    tab.holds(".cw-table tbody tr", 5)
    got = tab.download("#cw-batch-done .cw-download:has-text('CSV')")
    with got.open(encoding="utf-8", newline="") as file:
        assert [row["status"] for row in csv.DictReader(file)][:4] == [*["answered"] * 3, "abstained"]
    lines = (
        tab.download("#cw-batch-done .cw-download:has-text('JSONL')").read_text(encoding="utf-8").splitlines()
    )
    assert [json.loads(line)["question"] for line in lines] == rows[1:]
    tab.quiet()


# quality


def test_the_report_is_shown_in_a_sandbox(tab, served, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    tab.go("quality")
    tab.page.wait_for_selector("text=No report yet")
    report = tmp_path / "citewise-eval" / "report.html"
    report.parent.mkdir()
    script = "try{parent.document.title='hurt'}catch(e){document.body.append(' refused')}"
    report.write_text(
        f"<h1>Measured</h1><img src=//evil.invalid/x><script>{script}</script>", encoding="utf-8"
    )
    tab.go("chat")
    tab.go("quality")
    frame = tab.page.frame_locator(".cw-report")
    frame.locator("h1:has-text('Measured')").wait_for()
    frame.locator("body:has-text('refused')").wait_for()
    assert tab.page.title() == "Citewise"


# safety, size, light


def test_hostile_papers_questions_and_drafts_stay_text(tab):
    page = tab.page
    tab.type(f"hostile {HOSTILE}")
    page.wait_for_selector(".cw-draft")
    tab.answered()
    page.hover("a.cw-cite")
    page.wait_for_selector(".cw-pop")
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.wait_for_timeout(500)
    assert page.evaluate("window.hurt") is None
    own = ":is(#cw-log, .cw-pop, #cw-drawer)"
    assert page.locator(f"{own} :is(img, script, style, iframe, svg, code, strong)").count() == 0
    hosts = page.eval_on_selector_all("#cw-log a", "all => all.map(a => a.host || a.pathname)")
    assert "evil.invalid" in hosts  # the record's own link, shown with its host
    assert hosts.count("evil.invalid") == 1
    for part in (".cw-question", ".cw-answer", ".cw-head .cw-title", ".cw-abstract", ".cw-pop"):
        shown = page.locator(part).first.inner_text()
        assert "<script>window.hurt=1</script>" in shown
        assert "![pixel](http://evil.invalid/px.png)" in shown
    tab.quiet()


def test_the_page_fits_a_phone(browser, served):
    tab = Tab(browser, served.address, width=390, height=844, has_touch=True)
    page = tab.page
    assert not page.evaluate(WIDE)
    tab.ask(f"hostile {'W' * 300} {HOSTILE}")
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert not page.evaluate(WIDE)
    assert page.is_visible("#cw-send")
    page.tap("a.cw-cite")
    page.wait_for_selector(".cw-sheet mark")
    page.click(".cw-close")
    for name in ("papers", "batch", "add", "quality"):
        tab.go(name)
        page.wait_for_selector(f"#cw-tab-{name}", state="visible")
        page.wait_for_timeout(500)
        assert not page.evaluate(WIDE), name
    tab.quiet()
    tab.context.close()


def test_dark_is_followed_and_can_be_chosen(browser, served):
    tab = Tab(browser, served.address, color_scheme="dark")
    page = tab.page
    page.wait_for_selector("body.dark")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click(".cw-theme")
    page.wait_for_selector("body:not(.dark)")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
    page.reload()
    page.wait_for_selector("#cw-question textarea")
    page.wait_for_selector("body:not(.dark)")
    tab.context.close()
