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
    Finding,
    Question,
    Quote,
    Role,
    Sentence,
    Status,
    Timings,
    Trace,
    Turn,
)
from rag.types.events import DraftToken, Event, Finished, StageName, StageStarted
from rag.types.handovers import (
    OF_SEVERAL_PAPERS,
    AskedQuestion,
    Draft,
    Hits,
    Kind,
    Outcome,
    PreparedQuestion,
    Ranking,
    Relevance,
    SelectedEvidence,
)
from rag.types.papers import Evidence, Paper, PaperText, Passage, Rejected, SentenceText

__all__ = [
    "OF_SEVERAL_PAPERS",
    "Abstention", "AbstentionReason", "Answer", "AskedQuestion", "Citation", "Draft", "DraftToken",
    "DroppedSentence", "Event", "Evidence", "Failure", "Finding", "Finished", "Hits", "Kind", "Outcome",
    "Paper", "PaperText", "Passage", "PreparedQuestion", "Question", "Quote", "Ranking", "Rejected",
    "Relevance", "Role", "SelectedEvidence", "Sentence", "SentenceText", "StageName", "StageStarted",
    "Status", "Timings", "Trace", "Turn",
]  # fmt: skip
