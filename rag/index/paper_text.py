"""A paper read once, at ingestion: where its sentences stand, and how they look without blemishes."""

from __future__ import annotations

import json

from rag.text.marks import display
from rag.text.sentences import sentence_spans
from rag.types import Paper, PaperText, SentenceText


def read_paper(paper: Paper) -> PaperText:
    """Title and sentences, with offsets into the stored abstract, in its order."""
    return PaperText(
        display(paper.title),
        tuple(
            SentenceText(start, end, display(paper.abstract[start:end]))
            for start, end in sentence_spans(paper.abstract)
        ),
    )


def to_json(text: PaperText) -> str:
    """As it is stored: the title, then start, end and text of each sentence."""
    return json.dumps([text.title, [[s.start, s.end, s.text] for s in text.sentences]])


def from_json(stored: str) -> PaperText:
    """What `to_json` wrote. :raises ValueError: if it is something else."""
    title, sentences = json.loads(stored)
    return PaperText(title, tuple(SentenceText(start, end, text) for start, end, text in sentences))
