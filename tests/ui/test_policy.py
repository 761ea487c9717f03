"""The page's policy: what it lets in, and how it words a refusal."""

from __future__ import annotations

import pytest

from rag.ui.html.quality import ADDRESS
from rag.ui.policy import page_headers, page_rules, refusal_response
from rag.web.guard import Reason, Refusal, RequestHead, refusal

JOIN, UPLOAD = "/gradio_api/queue/join", "/gradio_api/upload"


@pytest.mark.parametrize(
    ("reason", "status", "words"),
    [
        ("host", 400, "Invalid host header"),
        ("origin", 403, "requests from other sites are refused"),
        ("no_length", 411, "a content length is required"),
        ("size", 413, "a request may have 262,144 bytes"),
    ],
)
def test_refusals_in_words(reason: Reason, status: int, words: str) -> None:
    response = refusal_response(Refusal(reason, bytes_max=262_144), JOIN)
    assert (response.status_code, response.body.decode()) == (status, words)


@pytest.mark.parametrize(
    ("path", "length", "refused"),
    [
        (JOIN, 262_144, None),
        (JOIN, 262_145, Refusal("size", 262_144)),
        (UPLOAD, 67_108_864, None),
        (UPLOAD, 67_108_865, Refusal("size", 67_108_864)),
    ],
)
def test_uploads_may_be_larger(path: str, length: int, refused: Refusal | None) -> None:
    head = RequestHead("POST", path, {"host": "localhost:7860", "content-length": str(length)})
    assert refusal(head, page_rules()) == refused


def test_it_may_be_called_by_further_names() -> None:
    head = RequestHead("GET", "/", {"host": "Papers.example.org"})
    assert refusal(head, page_rules()) == Refusal("host")
    assert refusal(head, page_rules(["papers.Example.org"])) is None


def test_only_the_report_is_framed_and_only_by_us() -> None:
    assert dict(page_headers("/"))[b"x-frame-options"] == b"DENY"
    framed = dict(page_headers(ADDRESS))
    assert framed[b"x-frame-options"] == b"SAMEORIGIN"
    assert framed[b"content-security-policy"].startswith(b"sandbox allow-scripts; default-src 'none'")
