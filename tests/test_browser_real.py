"""The page with the real models in a real Chromium: a cited answer, and papers of one's own."""

from __future__ import annotations

import pytest
from test_browser import CHROMIUM, PATIENCE_MS, Served, Tab, browser  # noqa: F401 - a fixture

from rag import Assistant
from rag.models.load import load_generator
from rag.settings import Settings
from rag.ui.state.library import LocalLibrary

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]
_BIB = """@article{lovelace, title={Nocturnal Kestrel Migration over Inland Seas}, year={2019},
abstract={We follow ringed kestrels by radar. Kestrels cross the inland sea at a mean height of 840 metres.
Most cross within two nights of a full moon.}}"""


@pytest.fixture(scope="module")
def library() -> LocalLibrary:
    settings = Settings.load()
    load_generator(settings)  # converted once: longer than a page is waited for
    return LocalLibrary(settings)


@pytest.fixture(scope="module")
def served(library):
    served = Served(library)
    yield served
    served.close()


def test_an_answer_is_cited_and_papers_of_ones_own_are_asked_about(browser, served, library, tmp_path):  # noqa: F811
    tab = Tab(browser, served.address)
    page = tab.page
    page.set_default_timeout(5 * PATIENCE_MS)
    tab.ask("How much higher throughput does Monarch Mixer achieve at sequence length 4K?")
    page.click("a.cw-cite >> nth=0")
    page.locator(".cw-abstract mark >> nth=0").wait_for(state="visible")
    assert "9.1x" in " ".join(page.locator(".cw-abstract mark").all_inner_texts())
    mine = tmp_path / "kestrels.bib"
    mine.write_text(_BIB, encoding="utf-8")
    tab.go("add")
    page.set_input_files("#cw-upload-files input[type=file]", mine)
    page.wait_for_selector("text=1 paper read from kestrels.bib")
    page.click("#cw-upload-add")
    page.wait_for_selector("text=kestrels now holds 1 paper: 1 added.")
    page.click("text=Ask these papers")
    page.wait_for_selector("#cw-ready:has-text('1 paper')")
    tab.ask("At what height do kestrels cross the inland sea?", 2)
    assert "840 metres" in page.inner_text("#cw-turn-2 .cw-answer")
    tab.quiet()
    tab.context.close()


def test_the_page_answers_as_every_other_door_does(library):
    chosen = library.open(library.default(), lambda *_: None)
    assert chosen.fingerprint == Assistant.open(settings=library.settings).fingerprint
