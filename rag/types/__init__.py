"""The nouns of Citewise as frozen dataclasses: what a door receives and what every floor passes on.

Knows nothing of models, files or frameworks. Character offsets always point into the *stored* abstract
(`Paper.abstract`), half open: `paper.abstract[start:end]`.
"""

from rag.types.answers import (
    Abstention,
    AbstentionReason,
    Answer,
    Citation,
    DroppedSentence,
    Failure,
    Question,
    Quote,
    Role,
    Sentence,
    Status,
    Timings,
    Trace,
    Turn,
)
from rag.types.events import DraftToken, Event, Finished, StageStarted
from rag.types.papers import Evidence, Paper, Passage, Rejected

__all__ = [
    "Abstention", "AbstentionReason", "Answer", "Citation", "DraftToken", "DroppedSentence", "Event",
    "Evidence", "Failure", "Finished", "Paper", "Passage", "Question", "Quote", "Rejected", "Role",
    "Sentence", "StageStarted", "Status", "Timings", "Trace", "Turn",
]  # fmt: skip
