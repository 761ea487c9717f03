"""The report in a real Chromium: the filters work, hostile text stays text, nothing is fetched."""

from __future__ import annotations

import shutil

import pytest
from report_runs import HOSTILE, run
from test_browser import FLAGS

from eval.report import render

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(params=[("light", 1200), ("dark", 390)])
def page(browser, tmp_path, request):
    place = tmp_path / "report.html"
    place.write_text(render([run(), run("other", right=False)]), encoding="utf-8")
    scheme, width = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.wrong = []
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("request", lambda r: r.url.startswith("file:") or page.wrong.append(r.url))
    page.goto(place.as_uri())
    yield page
    assert page.wrong == []
    context.close()


def test_hostile_text_stays_text_and_the_page_fits(page):
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.wait_for_timeout(300)
    assert page.evaluate("window.hurt") is None
    assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    assert "<script>window.hurt=1</script>" in page.inner_text("#questions")


def test_the_filters_show_what_fits(page):
    count = "() => [...document.querySelectorAll('#questions > details')].filter(d => !d.hidden).length"
    assert page.inner_text("#count") == "3 of 3"
    page.select_option("#verdict", "wrong")
    assert page.evaluate(count) == 1
    assert page.inner_text("#count") == "1 of 3"
    page.select_option("#verdict", "only first right")
    assert page.locator("details:visible summary").inner_text().startswith("q1")
    page.select_option("#verdict", "")
    page.select_option("#type", f"fact {HOSTILE}".replace("\u202e", ""))
    assert page.evaluate(count) == 1
    page.select_option("#type", "")
    page.fill("#words", "FAR?")
    assert page.evaluate(count) == 1
