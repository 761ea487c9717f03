"""What every tab is built with: our own HTML in a component, and how its events are registered."""

from __future__ import annotations

from typing import Any

import gradio as gr

# Kept few: each waits in a thread of its own.
WAITING_MAX = 24
PRIVATE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
AT_ONCE: dict[str, Any] = {**PRIVATE, "queue": False}

Updates = dict[Any, Any]


def html(value: str, elem_id: str, scale: int = 1, *, trusted: bool = False) -> gr.Markdown:
    """Our own HTML. `gr.HTML` would need `unsafe-eval` in the content policy; this does not.

    `trusted`: not sanitized once more. Only for what the sanitizer would break (drawings, frames) and
    that holds nothing but inert text.
    """
    with gr.Column(elem_id=elem_id, min_width=0, scale=scale):
        return gr.Markdown(value, latex_delimiters=[], elem_classes="cw-html", sanitize_html=not trusted)


def carrier(elem_id: str) -> gr.Textbox:
    """A text box nobody sees, by which page.js hands something over: it fills it in and presses Enter."""
    return gr.Textbox(elem_id=elem_id, visible="hidden", lines=1, max_lines=1)
