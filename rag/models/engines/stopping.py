"""When a draft is finished before the model says so: a stop string, or it starts to repeat itself."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Any

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def repeats(text: str) -> bool:
    """True when a sentence of the text, or a run of eight words, has been said before in it."""
    sentences = [s.strip().casefold() for s in _SENTENCE_END.split(text) if s.strip()]
    if len(sentences) != len(set(sentences)):
        return True
    spoken = text.casefold().split()
    tail = spoken[-8:]
    return len(tail) == 8 and any(spoken[i : i + 8] == tail for i in range(len(spoken) - 8))


def is_finished(text: str, stop: Sequence[str]) -> bool:
    """Whether a text needs no further token: a stop string stands in it, or it repeats itself."""
    return any(mark in text for mark in stop) or repeats(text)


def stopping_rule(
    tokenizer: Any,  # noqa: ANN401 - any transformers tokenizer
    prompt_tokens: int,
    stop: list[str],
    cancelled: threading.Event | None = None,
) -> Any:  # noqa: ANN401 - a StoppingCriteria; transformers is not imported at module level
    """A `StoppingCriteria` that ends each row on its own; all rows when `cancelled` is set."""
    import torch
    from transformers import StoppingCriteria

    class TextRule(StoppingCriteria):
        def __call__(
            self,
            input_ids: torch.LongTensor,
            scores: Any,  # noqa: ANN401 - unused
            **kwargs: Any,  # noqa: ANN401 - unused
        ) -> torch.BoolTensor:
            if cancelled is not None and cancelled.is_set():
                return torch.ones(len(input_ids), dtype=torch.bool)  # type: ignore[return-value]
            texts = tokenizer.batch_decode(input_ids[:, prompt_tokens:], skip_special_tokens=True)
            done = [is_finished(text, stop) for text in texts]
            return torch.tensor(done, dtype=torch.bool)  # type: ignore[return-value]

    return TextRule()
