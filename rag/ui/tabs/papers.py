"""The papers of the collection: searched as you type, filtered, and laid out as a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from rag.errors import CitewiseError
from rag.ports import Answers, MappedAnswers
from rag.types import Paper
from rag.ui.app_state import AppState, Catalogue
from rag.ui.html.answer import notice_html
from rag.ui.html.map import map_svg, topic_chip
from rag.ui.html.papers import PAGE, list_html
from rag.ui.state.papers import PaperFilter, matching, years_of
from rag.ui.tabs.controls import Controls
from rag.ui.tabs.widgets import AT_ONCE, Updates, html

_ANY = -1
_FOUND_MAX = 50
_OPENING_S = 120.0
_LIT_MAX = 500  # larger maps are not drawn again for every letter


class PapersTab:
    """Search, filters and list on the left, the map on the right."""

    def __init__(self, app_state: AppState, controls: Controls) -> None:
        self._app_state = app_state
        self._controls = controls
        with gr.Row(elem_id="cw-papers"):
            with gr.Column(elem_id="cw-papers-list", min_width=300, scale=5):
                self._place_filters()
                self.listed = html("", "cw-papers-html")
                self.more = gr.Button("Show more", size="sm", visible=False, elem_id="cw-more")
            with gr.Column(elem_id="cw-papers-map", min_width=300, scale=6):
                self.drawn = html("", "cw-map-html", trusted=True)
        self.count = gr.State(PAGE)

    def _place_filters(self) -> None:
        self.query = gr.Textbox(
            label="Search the papers",
            show_label=False,
            container=False,
            placeholder="Search the papers…",
            elem_id="cw-search",
        )
        with gr.Row(elem_id="cw-filters"):
            self.topic = gr.Dropdown(
                [("All topics", _ANY)],
                value=_ANY,
                label="Topic",
                show_label=False,
                container=False,
                filterable=False,
                elem_id="cw-topic",
            )
            years: dict[str, Any] = {"precision": 0, "visible": False, "container": False, "min_width": 80}
            years["interactive"] = True
            self.first = gr.Number(None, label="From year", placeholder="from", **years)
            self.last = gr.Number(None, label="To year", placeholder="to", **years)

    def wire(self) -> None:
        """Search while typing; every filter starts at the top of the list again."""
        inputs = [self.query, self.topic, self.first, self.last, self.count, *self._controls.inputs]
        outputs = [self.listed, self.more, self.drawn]
        typed: dict[str, Any] = {**AT_ONCE, "trigger_mode": "always_last"}
        for control in (self.query, self.topic, self.first, self.last):
            control.change(lambda: PAGE, None, self.count, **AT_ONCE)
            control.change(self._narrow, inputs, outputs, **typed)
        self.more.click(lambda count: count + PAGE, self.count, self.count, **AT_ONCE).then(
            self._narrow, inputs, outputs, **AT_ONCE
        )

    @property
    def inputs(self) -> list[Any]:
        """What `refresh` needs: the search and the choice."""
        return [self.query, *self._controls.inputs]

    @property
    def outputs(self) -> list[Any]:
        """What `refresh` changes."""
        return [self.listed, self.more, self.drawn, self.topic, self.first, self.last, self.count]

    def refresh(self, query: str, *chosen: object) -> Updates:
        """Everything anew, for another collection or a first look."""
        try:
            assistant = self._assistant(chosen)
        except CitewiseError as exc:
            return {self.listed: notice_html(exc.message, exc.hint, urgent=True), self.drawn: ""}
        if assistant is None:
            return {self.listed: notice_html("The papers are still being read.", "Come back in a moment.")}
        catalogue = self._app_state.catalogue(assistant.index)
        topics = [(name, group) for group, name in enumerate(catalogue.map.topics)]
        years = years_of(catalogue.papers)
        return {
            **self._updates_of(PaperFilter(query or ""), PAGE, catalogue, assistant),
            self.topic: gr.update(choices=[("All topics", _ANY), *topics], value=_ANY),
            self.first: gr.update(value=None, visible=years is not None),
            self.last: gr.update(value=None, visible=years is not None),
            self.count: PAGE,
        }

    def _narrow(
        self,
        query: str,
        topic: int,
        first: float | None,
        last: float | None,
        count: int,
        *chosen: object,
    ) -> Updates:
        try:
            assistant = self._assistant(chosen)
        except CitewiseError as exc:
            return {self.listed: notice_html(exc.message, exc.hint, urgent=True)}
        if assistant is None:
            return {self.listed: notice_html("The papers are still being read.", "Come back in a moment.")}
        paper_filter = PaperFilter(
            query=query or "",
            group=topic if isinstance(topic, int) and topic != _ANY else None,
            year_from=int(first) if first else None,
            year_to=int(last) if last else None,
        )
        return self._updates_of(paper_filter, count, self._app_state.catalogue(assistant.index), assistant)

    def _assistant(self, chosen: Sequence[object]) -> MappedAnswers | None:
        return self._app_state.assistants.of(self._controls.choice(chosen)).wait(_OPENING_S)

    def _updates_of(
        self, paper_filter: PaperFilter, count: int, catalogue: Catalogue, assistant: Answers
    ) -> Updates:
        collection_map = catalogue.map
        groups = collection_map.group_of()
        papers = matching(self._search(paper_filter.query, catalogue, assistant), paper_filter, groups)
        chips = {
            paper.paper_id: topic_chip(groups[paper.paper_id], collection_map.topics[groups[paper.paper_id]])
            for paper in papers[:count]
            if paper.paper_id in groups
        }
        updates: Updates = {
            self.listed: list_html(papers, shown_max=count, query=paper_filter.query, topics=chips),
            self.more: gr.update(visible=len(papers) > count),
        }
        if len(collection_map.papers) <= _LIT_MAX or paper_filter == PaperFilter():
            lit = None if paper_filter == PaperFilter() else {paper.paper_id for paper in papers}
            updates[self.drawn] = map_svg(collection_map, lit=lit)
        return updates

    def _search(self, query: str, catalogue: Catalogue, assistant: Answers) -> Sequence[Paper]:
        """All by title, or what fits the query, best first."""
        if not query.strip():
            return catalogue.papers
        return [passage.paper for passage in assistant.search(query.strip()[:500], _FOUND_MAX)]
