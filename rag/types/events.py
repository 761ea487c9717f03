"""What a stream of an answer is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rag.types.answers import Answer

StageName = Literal["searching", "reading", "writing", "checking"]


@dataclass(frozen=True, slots=True)
class StageStarted:
    """Streaming: a stage begins. With `writing` a draft does; one written before is not wanted any more."""

    stage: StageName
    at_s: float


@dataclass(frozen=True, slots=True)
class DraftToken:
    """Streaming: a piece of the unverified draft. Never to be shown as an answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """Streaming: the verified answer; always the last event."""

    answer: Answer


Event = StageStarted | DraftToken | Finished
