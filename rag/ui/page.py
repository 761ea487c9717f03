"""The layout of the chat page, and which part of `Chat` each control calls.

Imports gradio, which takes seconds: `server` imports this module only when a page is built.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from rag.ui.chat import Chat, View
from rag.ui.conversation import Conversation
from rag.ui.render import notice_html

# Kept few: each waits in a thread of its own.
_WAITING_MAX = 16
_STATE_KEPT_S = 4 * 3600.0
_PRIVATE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
_AT_ONCE: dict[str, Any] = {**_PRIVATE, "queue": False}

Updates = dict[Any, Any]

EXAMPLES = (
    "How much higher throughput does Monarch Mixer achieve at sequence length 4K?",
    "Which paper studies time-reversed language models?",
    "How much does WRAP speed up pre-training on C4?",
    "What is refusal-aware instruction tuning?",
    "Which papers warn that fine-tuning makes models forget?",
    "What is the capital of France?",
)

_HEADER = (
    '<div class="cw-brand"><b>Citewise</b>'
    "<span>Answers from the papers, with the sentences that carry them.</span></div>"
)
_WELCOME = (
    '<div class="cw-welcome"><h2>What would you like to know?</h2>'
    "<p>Every answer cites the papers it rests on and shows their sentences. "
    "When the collection holds no answer, it says so.</p></div>"
)


class _Parts:
    """The components that change, and the updates that turn a `View` into what the browser shows."""

    def __init__(self) -> None:
        with gr.Row(elem_id="cw-header"):
            _html(_HEADER, "cw-brand-box")
            self.ready = _html("", "cw-ready")
            self.renew = gr.Button("New conversation", size="sm", elem_id="cw-new", scale=0)
        with gr.Column(elem_id="cw-start") as self.start:
            _html(_WELCOME, "cw-welcome-box")
            with gr.Row(elem_id="cw-examples"):
                self.examples = [gr.Button(text, size="sm", elem_classes="cw-example") for text in EXAMPLES]
        self.log = _html("", "cw-log")
        self.live = _html("", "cw-live")
        with gr.Column(elem_id="cw-composer"):
            self.notice = _html("", "cw-notice-box")
            with gr.Row(elem_id="cw-ask"):
                self.question = gr.Textbox(
                    label="Your question",
                    show_label=False,
                    container=False,
                    placeholder="Ask about the papers…",
                    lines=1,
                    max_lines=6,
                    scale=1,
                    elem_id="cw-question",
                )
                self.send = gr.Button("Ask", variant="primary", elem_id="cw-send", scale=0)
                self.stop = gr.Button("Stop", visible=False, elem_id="cw-stop", scale=0)
        self.state = gr.State(None, time_to_live=_STATE_KEPT_S)
        self.clock = gr.Timer(1.0)

    @property
    def outputs(self) -> list[Any]:
        """Everything a `View` may change."""
        texts = [self.log, self.live, self.notice, self.question]
        return [self.state, *texts, self.start, self.send, self.stop]

    def shown(self, view: View) -> Updates:
        """The updates for what `view` changes."""
        texts = {
            self.log: view.log,
            self.live: view.live,
            self.notice: view.notice,
            self.question: view.question,
        }
        fresh = not view.busy and not view.conversation.exchanges
        return {
            self.state: view.conversation,
            **{part: text for part, text in texts.items() if text is not None},
            self.start: gr.update(visible=fresh),
            self.send: gr.update(visible=not view.busy),
            self.stop: gr.update(visible=view.busy),
        }


def build_page(chat: Chat) -> gr.Blocks:
    """The page with its controls wired to `chat`."""
    page = gr.Blocks(title="Citewise", analytics_enabled=False, delete_cache=(3600, 86400))
    with page:
        parts = _Parts()
        asked = _wire_asking(parts, chat)
        _wire_readiness(page, parts, chat, asked)
    page.queue(max_size=2 * _WAITING_MAX, default_concurrency_limit=_WAITING_MAX, api_open=False)
    return page


def _wire_asking(parts: _Parts, chat: Chat) -> list[Any]:
    """Ask, stop, start over. Returns the events after which the assistant may be ready or not."""

    def ask(question: str, state: Conversation | None) -> Iterator[Updates]:
        for view in chat.ask(question, state):
            yield parts.shown(view)

    def settle(state: Conversation | None) -> Updates:
        return parts.shown(chat.settle(state))

    def renew(state: Conversation | None) -> Updates:
        return parts.shown(chat.renew(state))

    asking: dict[str, Any] = {
        **_PRIVATE,
        "fn": ask,
        "outputs": parts.outputs,
        "concurrency_id": "ask",
        "concurrency_limit": _WAITING_MAX,
    }
    typed = gr.on(
        [parts.question.submit, parts.send.click],
        inputs=[parts.question, parts.state],
        trigger_mode="once",
        **asking,
    )
    started = [typed, *(b.click(inputs=[b, parts.state], **asking) for b in parts.examples)]
    parts.stop.click(chat.stop, [parts.state], None, **_AT_ONCE)
    # Queued, so that it is shown after what `ask` has sent already.
    parts.renew.click(renew, [parts.state], parts.outputs, **_PRIVATE)
    settled = [e.failure(settle, [parts.state], parts.outputs, **_AT_ONCE) for e in started]
    return [*started, *settled]


def _wire_readiness(page: gr.Blocks, parts: _Parts, chat: Chat, asked: Sequence[Any]) -> None:
    """Open the assistant when the page opens, and say how far that is until it is ready."""

    def tell() -> Updates:
        told = chat.opening.readiness()
        text = notice_html(told.message, told.hint, urgent=told.state == "failed")
        return {parts.ready: text, parts.clock: gr.Timer(active=told.state == "opening")}

    def opened() -> Updates:
        chat.opening.start()
        return tell()

    outputs = [parts.ready, parts.clock]
    page.load(opened, None, outputs, **_AT_ONCE)
    parts.clock.tick(tell, None, outputs, **_AT_ONCE)
    for event in asked:
        event.then(tell, None, outputs, **_AT_ONCE)


def _html(value: str, elem_id: str, scale: int = 1) -> gr.Markdown:
    """Our own HTML. `gr.HTML` would need `unsafe-eval` in the content policy; this does not."""
    with gr.Column(elem_id=elem_id, min_width=0, scale=scale):
        return gr.Markdown(value, latex_delimiters=[], elem_classes="cw-html")
