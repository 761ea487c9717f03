"""The chat page in a real Chromium: streaming, citations, abstention, safety, phone width.

Needs Debian's chromium (`apt-get install chromium`); skipped, and said so, where there is none.
"""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from chat_assistant import HOSTILE, ChatAssistant

CHROMIUM = shutil.which("chromium")
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

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The page over a slow fake assistant, on a free port."""
    import uvicorn

    from rag.ui.server import build_app

    listener = socket.create_server(("127.0.0.1", 0))
    app = build_app(lambda _: ChatAssistant(token_s=TOKEN_S))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    server.force_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Tab:
    """A browser tab that remembers what it asked other hosts for and what went wrong."""

    def __init__(self, browser, address: str, width: int = 1280, height: int = 900) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": height})
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.elsewhere: list[str] = []
        self.errors: list[str] = []
        own = (address, "data:", "blob:")
        self.page.on("request", lambda r: r.url.startswith(own) or self.elsewhere.append(r.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(address)
        self.page.wait_for_selector("#cw-question textarea")
        self.page.wait_for_selector("text=159 papers")

    def type(self, question: str) -> None:
        self.page.fill("#cw-question textarea", question)
        self.page.press("#cw-question textarea", "Enter")

    def answered(self, count: int = 1) -> None:
        """Wait until this many exchanges have ended and the page is at rest."""
        self.page.wait_for_function(
            "n => document.querySelectorAll('#cw-log .cw-turn').length === n"
            " && !document.querySelector('#cw-live .cw-turn')",
            arg=count,
        )
        self.page.wait_for_selector("#cw-send", state="visible")

    def quiet(self) -> None:
        """Nothing was fetched from elsewhere, nothing broke."""
        assert self.elsewhere == []
        assert self.errors == []


@pytest.fixture
def tab(browser, address) -> Iterator[Tab]:
    tab = Tab(browser, address)
    yield tab
    tab.context.close()


def test_a_draft_is_streamed_and_replaced_by_a_cited_answer(tab):
    page = tab.page
    tab.type("How much higher throughput?")
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
    assert mark.is_visible()
    assert mark.inner_text() == "It reaches 9.1x higher throughput at sequence length 4K."
    tab.quiet()


def test_an_abstention_shows_the_closest_papers(tab):
    tab.page.click("button:has-text('capital of France')")
    tab.answered()
    assert tab.page.is_visible("text=Not in this collection")
    assert tab.page.is_visible(".cw-side >> text=Mixer: a Layer in Linear Time")
    assert not tab.page.is_visible("#cw-start")


def test_hostile_papers_questions_and_drafts_stay_text(tab):
    page = tab.page
    tab.type(f"hostile {HOSTILE}")
    page.wait_for_selector(".cw-draft")
    tab.answered()
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.wait_for_timeout(500)
    assert page.evaluate("window.hurt") is None
    assert page.locator("#cw-log :is(img, script, style, iframe, svg, code, strong)").count() == 0
    hosts = page.eval_on_selector_all("#cw-log a", "all => all.map(a => a.host || a.pathname)")
    assert "evil.invalid" in hosts  # the record's own link, shown with its host
    assert hosts.count("evil.invalid") == 1
    for part in (".cw-question", ".cw-answer", ".cw-head .cw-title", ".cw-abstract"):
        shown = page.locator(part).first.inner_text()
        assert "<script>window.hurt=1</script>" in shown
        assert "![pixel](http://evil.invalid/px.png)" in shown
    tab.quiet()


def test_the_page_fits_a_phone(browser, address):
    tab = Tab(browser, address, width=390, height=844)
    wide = "document.documentElement.scrollWidth > window.innerWidth"
    assert not tab.page.evaluate(wide)
    tab.type(f"hostile {'W' * 300} {HOSTILE}")
    tab.answered()
    tab.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert not tab.page.evaluate(wide)
    assert tab.page.is_visible("#cw-send")
    tab.quiet()
    tab.context.close()


def test_stop_discards_the_draft_and_the_page_goes_on(tab):
    tab.type("How much higher throughput, slowly?")
    tab.page.wait_for_selector(".cw-draft")
    tab.page.click("#cw-stop")
    tab.answered()
    assert tab.page.is_visible("text=You stopped this question")
    assert not tab.page.is_visible("text=2.5x")
    tab.type("How much does it cost?")
    tab.answered(2)
    assert tab.page.is_visible("text=Read as: How much does Mixer cost?")


def test_a_new_conversation_clears_the_page_even_while_writing(tab):
    tab.type("How much higher throughput?")
    tab.answered()
    tab.type("How much higher throughput, slowly?")
    tab.page.wait_for_selector(".cw-draft")
    tab.page.click("#cw-new")
    tab.page.wait_for_selector("#cw-start", state="visible")
    tab.page.wait_for_timeout(1500)
    assert tab.page.locator(".cw-turn").count() == 0
    assert tab.page.is_visible("#cw-send")
    tab.type("How much does it cost?")
    tab.answered()


def test_long_questions_and_failures_are_explained(tab):
    page = tab.page
    tab.type("x" * 4001)
    page.wait_for_selector("text=the limit is 4,000")
    assert len(page.input_value("#cw-question textarea")) == 4001
    tab.type("please fail")
    tab.answered()
    assert page.is_visible("text=The generator broke <b>down</b>.")
    assert page.is_visible("text=Ask again.")
    tab.type("please crash")
    tab.answered(2)
    assert page.is_visible("text=Something broke while answering.")
    tab.type("How much higher throughput?")
    tab.answered(3)


def test_two_tabs_do_not_mix(browser, address, tab):
    other = Tab(browser, address)
    tab.type("How much higher throughput, slowly?")
    tab.page.wait_for_selector(".cw-draft")
    other.type("quote something")
    other.page.wait_for_selector("text=Waiting for another question")
    tab.page.click("#cw-stop")
    tab.answered()
    other.answered()
    assert "Quoted" in other.page.inner_text("#cw-log")
    assert "You stopped" in tab.page.inner_text("#cw-log")
    other.context.close()
