"""The chat: its layout, and which part of `Chat` each control calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from rag.types import Paper
from rag.ui.actions import Actions
from rag.ui.app_state import AppState
from rag.ui.chat import ChatRequest, View
from rag.ui.html.conversations import list_html
from rag.ui.html.environment import fill
from rag.ui.state.conversation import Conversation
from rag.ui.state.library import DEFAULT
from rag.ui.state.starters import EXAMPLES, STARTERS_MAX, starters
from rag.ui.tabs.controls import Controls
from rag.ui.tabs.export_menu import ExportMenu
from rag.ui.tabs.widgets import AT_ONCE, PRIVATE, WAITING_MAX, Updates, carrier, html

_STATE_KEPT_S = 4 * 3600.0


class ChatTab:
    """The components that change, and the updates that turn a `View` into what the browser shows."""

    def __init__(
        self, app_state: AppState, controls: Controls, owner: gr.BrowserState, renew: gr.Button
    ) -> None:
        self._app_state = app_state
        self._controls = controls
        self.owner = owner
        self.renew = renew
        with gr.Column(elem_id="cw-drawer"):
            html(fill("page.html", "drawer"), "cw-drawer-head")
            self.drawer = html("", "cw-saved-list")
        with gr.Column(elem_id="cw-start") as self.start:
            html(fill("page.html", "welcome"), "cw-welcome-box")
            with gr.Row(elem_id="cw-examples"):
                self.examples = [gr.Button(text, size="sm", elem_classes="cw-example") for text in EXAMPLES]
        self.log = html("", "cw-log")
        self.live = html("", "cw-live")
        with gr.Column(elem_id="cw-composer"):
            self.notice = html("", "cw-notice-box")
            self._place_question()
            with gr.Row(elem_id="cw-under"):
                controls.place_options()
                self.export = ExportMenu(app_state)
        self.again, self.act = carrier("cw-again"), carrier("cw-act")
        self.state = gr.State(None, time_to_live=_STATE_KEPT_S)

    def _place_question(self) -> None:
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

    @property
    def outputs(self) -> list[Any]:
        """Everything a `View` may change."""
        texts = [self.log, self.live, self.notice, self.question, self.drawer]
        return [self.state, *texts, self.start, self.send, self.stop, self.export.menu]

    def updates_of(self, view: View) -> Updates:
        """The updates for what `view` changes."""
        texts = {
            self.log: view.log,
            self.live: view.live,
            self.notice: view.notice,
            self.question: view.question,
        }
        said = bool(view.conversation.exchanges)
        folded: dict[str, Any] = {} if view.log is None else {"open": False}
        return {
            self.state: view.conversation,
            **{part: text for part, text in texts.items() if text is not None},
            **({} if view.log is None else {self.drawer: self.saved_list(view.conversation)}),
            self.start: gr.update(visible=not view.busy and not said),
            self.send: gr.update(visible=not view.busy),
            self.stop: gr.update(visible=view.busy),
            self.export.menu: gr.update(visible=said, **folded),
        }

    def saved_list(self, conversation: Conversation) -> str:
        """The saved conversations of this browser."""
        return list_html(self._app_state.store.entries(conversation.owner), conversation.key)

    def wire(self) -> list[Any]:
        """Ask, stop, start over, and all that page.js hands over. Returns the events that ask."""
        started = self._wire_asking()
        actions = Actions(self._app_state, self.updates_of)
        self.stop.click(self._app_state.chat.stop, [self.state], None, **AT_ONCE)
        # Queued, so that it is shown after what `ask` has sent already.
        inputs = [self.state, self.owner]
        self.renew.click(actions.renew, inputs, self.outputs, **PRIVATE)
        self.act.submit(actions.act, [self.act, *inputs], self.outputs, trigger_mode="multiple", **PRIVATE)
        self.export.wire(self.state)
        settled = [e.failure(self._settle, [self.state], self.outputs, **AT_ONCE) for e in started]
        return [*started, *settled]

    def _wire_asking(self) -> list[Any]:
        chosen = [self.state, self.owner, *self._controls.inputs]
        asking: dict[str, Any] = {
            **PRIVATE,
            "outputs": self.outputs,
            "concurrency_id": "ask",
            "concurrency_limit": WAITING_MAX,
        }
        typed = gr.on(
            [self.question.submit, self.send.click],
            self._ask,
            [self.question, *chosen],
            trigger_mode="once",
            **asking,
        )
        again = self.again.submit(self._ask_alone, [self.again, *chosen], **asking)
        return [typed, again, *(b.click(self._ask, [b, *chosen], **asking) for b in self.examples)]

    def _ask(
        self, question: str, state: Conversation | None, owner: str, *chosen: object
    ) -> Iterator[Updates]:
        yield from self._views(ChatRequest(question or "", self._controls.choice(chosen)), state, owner)

    def _ask_alone(
        self, question: str, state: Conversation | None, owner: str, *chosen: object
    ) -> Iterator[Updates]:
        yield from self._views(
            ChatRequest(question or "", self._controls.choice(chosen), alone=True), state, owner
        )

    def _views(self, request: ChatRequest, state: Conversation | None, owner: str) -> Iterator[Updates]:
        for view in self._app_state.chat.ask(request, state or Conversation(owner=owner)):
            yield self.updates_of(view)

    def _settle(self, state: Conversation | None) -> Updates:
        return self.updates_of(self._app_state.chat.settle(state or Conversation()))

    def starter_updates(self, *chosen: object) -> Updates:
        """The starters that fit the collection; none until it is open."""
        choice = self._controls.choice(chosen)
        shipped = choice.collection == DEFAULT and self._app_state.library.ships
        papers: Sequence[Paper] = ()
        if not shipped and (assistant := self._app_state.assistants.of(choice).wait(60)):
            papers = self._app_state.catalogue(assistant.index).papers
        texts = [*starters(papers, shipped=shipped), *[""] * STARTERS_MAX][:STARTERS_MAX]
        return {
            button: gr.update(value=text, visible=bool(text))
            for button, text in zip(self.examples, texts, strict=True)
        }
