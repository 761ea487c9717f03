"""Votes as the chat writes them."""

from __future__ import annotations

from fake_assistant import answer_to

HISTORY = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "She."}]


def thumb(question, verdict, at="2026-01-01T00:00:00", **more):
    answer = answer_to(question, None, "f" * 16).to_dict()
    return {"question": question, "history": [], "answer": answer, "verdict": verdict, "at": at, **more}


ROWS = [
    thumb("what", "up"),
    thumb("quote it", "down", note="Not the number."),
    thumb("quote that", "up"),
    thumb("unknown", "down", history=HISTORY),
    thumb("what", "down"),
]
