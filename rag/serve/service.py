"""The one way in: every route and every agent tool asks, searches and reads papers through here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from rag.errors import InvalidRequest, NotFound
from rag.ports import BrowsableAnswers
from rag.serve.admission import Admission, finished
from rag.serve.limits import Limits
from rag.text.printable import readable
from rag.types import Answer, Event, Finished, Paper, Passage, Turn

QUESTION_CHARS_MAX = 4000
FOUND_MAX = 100
PAGE_MAX = 200


class Watcher(Protocol):
    """Who is told of every finished answer (`rag.serve.metrics`)."""

    def answered(self, answer: Answer) -> None:
        """An answer is finished."""
        ...


class Service:
    """Checks what is asked, queues it and tells the watcher. `assistant` waits, or raises `NotReady`."""

    def __init__(
        self,
        assistant: Callable[[], Awaitable[BrowsableAnswers]],
        limits: Limits,
        *,
        question_chars_max: int = QUESTION_CHARS_MAX,
        watcher: Watcher | None = None,
    ) -> None:
        self.assistant = assistant
        self.limits = limits
        self.question_chars_max = question_chars_max
        self.admission = Admission(limits)
        self._watcher = watcher

    async def events(self, question: str, history: Sequence[Turn] = ()) -> AsyncIterator[Event]:
        """The events of one answer; `Finished` comes last.

        :raises RequestError: if it cannot be taken.
        :raises CitewiseError: what the assistant raises.
        """
        asked = self.checked(question)
        if len(history) > self.limits.history_turns_max:
            raise InvalidRequest(
                f"The history has {len(history)} messages; {self.limits.history_turns_max} are allowed.",
                hint="Send the last ones only.",
            )
        told = tuple(replace(turn, content=readable(turn.content)) for turn in history)
        assistant = await self.assistant()
        async for event in self.admission.events(partial(assistant.stream, asked, told)):
            if isinstance(event, Finished) and self._watcher:
                self._watcher.answered(event.answer)
            yield event

    async def answer(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """The answer alone; raises what `events` raises."""
        return await finished(self.events(question, history))

    async def search(self, query: str, k: int = 10) -> list[Passage]:
        """The k papers that fit best; never waits for an answer being written."""
        if not 1 <= k <= FOUND_MAX:
            raise InvalidRequest(f"k is {k}; it may be 1 to {FOUND_MAX}.", hint="Ask for fewer papers.")
        asked = self.checked(query)
        return await asyncio.to_thread((await self.assistant()).search, asked, k)

    async def paper(self, paper_id: str) -> Paper:
        """One paper.

        :raises NotFound: if there is none of this id.
        """
        found = await asyncio.to_thread((await self.assistant()).paper, readable(paper_id))
        if found is None:
            raise NotFound("No paper has this id.", hint="GET /v1/papers and /v1/search tell the ids.")
        return found

    async def papers(self, after: str, limit: int, words: str) -> list[Paper]:
        """A page of papers by id: those behind `after` whose title or abstract holds `words`."""
        page = partial((await self.assistant()).papers, readable(after), limit, words=readable(words))
        return await asyncio.to_thread(page)

    def checked(self, question: str) -> str:
        """A question that may be asked.

        :raises InvalidRequest: if it is too long.
        """
        if len(question) > self.question_chars_max:
            raise InvalidRequest(
                f"The question has {len(question):,} characters; {self.question_chars_max:,} are allowed.",
                hint="Shorten it.",
            )
        return readable(question)
