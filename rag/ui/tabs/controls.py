"""What a person sets before asking: the collection (in the header), and the options under the question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from rag.ui.app_state import BALANCED_MODE, PAPERS_MAX, QUOTES_MODE, AppState
from rag.ui.state.library import AssistantChoice
from rag.ui.tabs.widgets import AT_ONCE, Updates


class Controls:
    """The four controls of a `AssistantChoice`."""

    def __init__(self, app_state: AppState) -> None:
        self._app_state = app_state
        self._default = app_state.library.default()

    def place_collection(self) -> None:
        """The collection picker, in the header."""
        self.collection = gr.Dropdown(
            self.collection_choices(),
            value=self._default.collection,
            label="Collection",
            show_label=False,
            container=False,
            filterable=False,
            interactive=True,
            elem_id="cw-collection",
            scale=0,
            min_width=190,
        )

    def place_options(self) -> None:
        """Papers, mode and model, folded away under what they are set to."""
        default = self._default
        with gr.Accordion(self._summary(default), open=False, elem_id="cw-options") as self.options, gr.Row():
            self.papers = gr.Slider(1, PAPERS_MAX, default.papers, step=1, label="Papers", min_width=180)
            self.mode = gr.Radio(
                [BALANCED_MODE, QUOTES_MODE],
                value=QUOTES_MODE if default.strict else BALANCED_MODE,
                label="Answers",
                info="Balanced: the model's words where every check passes.",
                min_width=220,
            )
            self.generator = gr.Dropdown(
                [(generator_label(name), name) for name in self._app_state.library.generators()],
                value=default.generator,
                label="Model",
                info="What is installed here.",
                filterable=False,
                min_width=200,
            )

    def wire(self) -> None:
        """Keep the summary true."""
        for control in (self.papers, self.mode, self.generator):
            control.change(self._summary_update, self.inputs, self.options, **AT_ONCE)

    @property
    def inputs(self) -> list[Any]:
        """The components whose values make a `AssistantChoice`, in order."""
        return [self.collection, self.papers, self.mode, self.generator]

    def choice(self, values: Sequence[object]) -> AssistantChoice:
        """The choice of these four values."""
        collection, papers, mode, generator = values
        return self._app_state.choice(collection, papers, mode, generator)

    def collection_choices(self) -> list[tuple[str, str]]:
        """(label, name) of each collection there is."""
        return [(info.label, info.name) for info in self._app_state.library.collections()]

    def collections_update(self, chosen: str | None = None) -> Updates:
        """The picker with what there is now."""
        choices = self.collection_choices()
        if chosen is None:
            return {self.collection: gr.update(choices=choices)}
        return {self.collection: gr.update(choices=choices, value=chosen)}

    def _summary_update(self, *values: object) -> Any:  # noqa: ANN401 - Gradio's update
        return gr.update(label=self._summary(self.choice(values)))

    def _summary(self, choice: AssistantChoice) -> str:
        words = "quotes only" if choice.strict else f"balanced · {generator_label(choice.generator)}"
        return f"{choice.papers} paper{'' if choice.papers == 1 else 's'} · {words}"


def generator_label(name: str) -> str:
    """A model's name as people know it: the last part of a path."""
    return "No model: quotes only" if name == "none" else name.rstrip("/").rpartition("/")[2] or name
