"""Greedy decoding with a stateful OpenVINO graph: int8 weights, keys and values kept inside it.

Rows that are finished leave the batch: the next step goes on from the others' state alone. What is read only
to score a text after it is read by itself, so that no prompt's score depends on the others, and once where
its states are kept (`rag.models.engines.kv_cache`).
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from typing import Any

import numpy as np

from rag.models.engines.chat_template import ChatTokens, Turns
from rag.models.engines.decoder import LIKELIHOOD_TOKENS_MAX, Reading, Split, failures_are_ours
from rag.models.engines.kv_cache import PrefixStore, States
from rag.models.engines.states import Tokens, after, logits_of, reading_of
from rag.models.engines.stopping import is_finished
from rag.models.engines.tokens import Numbers, batches_by_length

_PROMPT_TOKENS_AT_ONCE = 8192  # prompts written together: the more, the less often the weights are read
_SCORED_TOKENS_AT_ONCE = 160  # whose logits are held: 0.6 MB each for a vocabulary of 152,000
_UNFINISHED = "\ufffd"  # what a tokenizer writes for half a character


class OpenVinoDecoder:
    """See `rag.models.engines.decoder.Decoder`."""

    def __init__(self, graph: Any, tokens: ChatTokens, prefixes: PrefixStore | None = None) -> None:  # noqa: ANN401 - a CompiledModel
        self._request = graph.create_infer_request()
        self._scoring = graph.create_infer_request()  # with a state of its own, beside what is being written
        self._scored = threading.Lock()
        self._tokens = tokens
        self._prefixes = prefixes

    def prompt(self, turns: Turns) -> str:
        """See `Decoder`."""
        return self._tokens.prompt(turns)

    def count(self, text: str) -> int:
        """See `Decoder`."""
        return len(self._tokens.numbers(text))

    def write(
        self, prompts: Sequence[Split], stop: Sequence[str], tokens_max: int, *, never_first: str = ""
    ) -> list[str]:
        """See `Decoder`. Prompts of like length are decoded together, so that little is filled up."""
        read = [self._split(prompt, tokens_max) for prompt in prompts]
        banned = self._first_of(never_first)
        texts: dict[int, str] = {}
        lengths = [len(opening) + len(rest) for opening, rest in read]
        for batch in batches_by_length(lengths, _PROMPT_TOKENS_AT_ONCE):
            written: list[list[int]] = []
            for step in self._steps([read[i] for i in batch], stop, tokens_max, banned):
                written = step
            texts.update(zip(batch, map(self._tokens.text, written), strict=True))
        return [texts[i] for i in range(len(prompts))]

    def pieces(
        self, prompt: Split, stop: Sequence[str], tokens_max: int, *, never_first: str = ""
    ) -> Generator[str, None, None]:
        """See `Decoder`."""
        text, told = "", 0
        banned = self._first_of(never_first)
        for (written,) in self._steps([self._split(prompt, tokens_max)], stop, tokens_max, banned):
            text = self._tokens.text(written)
            if len(text) > told and not text.endswith(_UNFINISHED):
                yield text[told:]
                told = len(text)
        if len(text) > told:
            yield text[told:]

    def read(self, prompts: Sequence[Split], proposed: Sequence[str]) -> list[Reading]:
        """See `Decoder`. Behind kept openings the rests are read together, a few prompts at a time."""
        read = [self._split(prompt, 1) for prompt in prompts]
        words = [number for text in proposed for number in self._first_of(text)]
        found: list[Reading] = []
        size = max(1, _SCORED_TOKENS_AT_ONCE // max((len(rest) for _, rest in read), default=1))
        with self._scored, failures_are_ours():
            for start in range(0, len(read), size):
                batch = read[start : start + size]
                wanted = min(max(len(rest) for _, rest in batch), LIKELIHOOD_TOKENS_MAX)
                logits, _, _ = after(
                    self._scoring, batch, self._kept(batch), self._tokens.filler, last=wanted
                )
                found += [
                    reading_of(row[-len(rest) :], rest, words)
                    for row, (_, rest) in zip(logits, batch, strict=True)
                ]
        return found

    def _cut(self, prompt: str, tokens_max: int) -> list[int]:
        """The prompt's end where it does not fit the window."""
        return self._tokens.numbers(prompt)[-(self._tokens.window - tokens_max) :]

    def _split(self, prompt: Split, tokens_max: int) -> Tokens:
        """Both halves as tokens; where they do not fit the window the opening loses its end."""
        rest = self._cut(prompt.rest, tokens_max)
        room = self._tokens.window - tokens_max - len(rest)
        opening = self._tokens.numbers(prompt.opening)[:room]
        return (opening, rest) if prompt.keeps else ([], [*opening, *rest])

    def _first_of(self, text: str) -> list[int]:
        return self._tokens.numbers(text)[:1]

    def _kept(self, batch: Sequence[Tokens]) -> list[States] | None:
        """What was read of each opening, now or before; None where it is not kept. Holds `_scored`."""
        if self._prefixes is None or not all(opening for opening, _ in batch):
            return None
        return [self._states(opening, self._prefixes) for opening, _ in batch]

    def _states(self, opening: list[int], prefixes: PrefixStore) -> States:
        kept = prefixes.get(opening)
        if kept is None:
            after(self._scoring, [([], opening)], None, self._tokens.filler, last=1)
            states = self._scoring.query_state()
            real = len(opening)  # behind what filled it up
            kept = {s.name: np.asarray(s.state.data[:, :, -real:], dtype=np.float16) for s in states}
            prefixes.put(opening, kept)
        return kept

    def _steps(
        self,
        prompts: Sequence[Tokens],
        stop: Sequence[str],
        tokens_max: int,
        banned: Sequence[int],
    ) -> Iterator[list[list[int]]]:
        """What is written so far after each token, a list a prompt; `banned` tokens never come first."""
        written: list[list[int]] = [[] for _ in prompts]
        alive = list(range(len(prompts)))
        with failures_are_ours():
            with self._scored:  # the openings are read by the scoring request
                kept = self._kept(prompts)
            logits, mask, positions = after(self._request, prompts, kept, self._tokens.filler, last=1)
        logits = np.array(logits[:, -1])
        logits[:, list(banned)] = -np.inf
        for _ in range(tokens_max):
            chosen: Numbers = np.asarray(logits.argmax(axis=-1), dtype=np.int64)
            places = np.array(
                [p for p, row in enumerate(alive) if self._goes_on(written[row], chosen[p], stop)]
            )
            yield written
            if not len(places):
                return
            alive = [alive[place] for place in places]
            ids = chosen[places, None]
            mask = np.concatenate([mask[places], np.ones_like(ids)], axis=1)
            positions = positions[places, -1:] + 1
            with failures_are_ours():
                logits = logits_of(self._request, ids, mask, positions, places, last=1)[:, -1]

    def _goes_on(self, written: list[int], chosen: int, stop: Sequence[str]) -> bool:
        """Append the token, unless it ends the text; whether more may follow."""
        if int(chosen) in self._tokens.ends:
            return False
        written.append(int(chosen))
        return not is_finished(self._tokens.text(written), stop)
