"""What the page's server lets in and what its responses carry: content policy, sizes, refusals in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from rag.ui.html.quality import ADDRESS
from rag.web.addresses import LOOPBACK_NAMES
from rag.web.guard import AccessRules, Headers, Reason, Refusal

if TYPE_CHECKING:
    from starlette.responses import Response

REQUEST_BYTES_MAX = 256 * 1024
UPLOAD_BYTES_MAX = 64 * 1024 * 1024
_UPLOAD = "/gradio_api/upload"
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
# Gradio's page needs inline scripts and styles; it gets no eval and no other host.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
# The report is a file of the user's: its own script may run, but as a page of nobody, with no network.
_FRAMED = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_COMMON = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
_HEADERS = (*_COMMON, (b"content-security-policy", _POLICY.encode()), (b"x-frame-options", b"DENY"))
_FRAME_HEADERS = (
    *_COMMON,
    (b"content-security-policy", _FRAMED.encode()),
    (b"x-frame-options", b"SAMEORIGIN"),
)
# Status and words of what `page_rules` can refuse.
_REFUSALS: Mapping[Reason, tuple[int, str]] = {
    "host": (400, "Invalid host header"),
    "origin": (403, "requests from other sites are refused"),
    "no_length": (411, "a content length is required"),
    "size": (413, "a request may have {:,} bytes"),
}


def page_rules(hosts: Iterable[str] = ()) -> AccessRules:
    """Small posts of our own page, larger uploads; `hosts` are further names it may be called by."""
    return AccessRules(
        names=LOOPBACK_NAMES | {host.lower() for host in hosts},
        body_bytes_max=REQUEST_BYTES_MAX,
        larger_bodies={_UPLOAD: UPLOAD_BYTES_MAX},
        unchecked_methods=_READS,
        length_required=True,
    )


def page_headers(path: str) -> Headers:
    """What the responses of a path carry; the report is framed by our page, nothing else is framed."""
    return _FRAME_HEADERS if path == ADDRESS else _HEADERS


def refusal_response(refused: Refusal, _path: str) -> Response:
    """A refusal in plain text."""
    from starlette.responses import PlainTextResponse

    status, words = _REFUSALS[refused.reason]
    return PlainTextResponse(words.format(refused.bytes_max), status_code=status)
