"""Greedy decoding with transformers: the reference, and what runs models that have no graph here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any

from rag.errors import GenerationFailed
from rag.models.engines.chat_template import Turns
from rag.models.engines.decoder import LIKELIHOOD_TOKENS_MAX, Reading, Split, failures_are_ours
from rag.models.engines.stopping import stopping_rule

if TYPE_CHECKING:
    import torch


class TorchDecoder:
    """See `rag.models.engines.decoder.Decoder`."""

    def __init__(self, model: Any, tokenizer: Any) -> None:  # noqa: ANN401 - transformers' own
        self._model = model
        self._tokenizer = tokenizer

    def prompt(self, turns: Turns) -> str:
        """See `Decoder`."""
        rendered = self._tokenizer.apply_chat_template(
            list(turns), tokenize=False, add_generation_prompt=True
        )
        return str(rendered)

    def count(self, text: str) -> int:
        """See `Decoder`."""
        return len(self._numbers(text))

    def write(
        self, prompts: Sequence[Split], stop: Sequence[str], tokens_max: int, *, never_first: str = ""
    ) -> list[str]:
        """See `Decoder`."""
        import torch

        inputs = self._side_by_side(prompts, tokens_max)
        start = inputs["input_ids"].shape[1]
        with torch.inference_mode():
            output = self._run(inputs, stop, tokens_max, never_first=never_first)
        return list(self._tokenizer.batch_decode(output[:, start:], skip_special_tokens=True))

    def read(self, prompts: Sequence[Split], proposed: Sequence[str]) -> list[Reading]:
        """See `Decoder`. One prompt at a time: this engine is the reference."""
        import torch

        words = [number for text in proposed for number in self._numbers(text)[:1]]
        found = []
        for prompt in prompts:
            rest = self._numbers(prompt.rest)
            inputs = self._side_by_side([prompt], 1)
            wanted = min(len(rest), LIKELIHOOD_TOKENS_MAX)
            with torch.inference_mode(), failures_are_ours():
                logits = self._model(**inputs, logits_to_keep=wanted).logits[0].float().log_softmax(-1)
            told = torch.tensor(rest[len(rest) - wanted + 1 :], dtype=torch.long)
            likelihood = float(logits[:-1].gather(1, told[:, None]).sum())
            found.append(Reading(likelihood, tuple(float(logits[-1, word]) for word in words)))
        return found

    def pieces(
        self, prompt: Split, stop: Sequence[str], tokens_max: int, *, never_first: str = ""
    ) -> Generator[str, None, None]:
        """See `Decoder`. The model runs in a thread of its own."""
        from transformers import TextIteratorStreamer

        inputs = self._side_by_side([prompt], tokens_max)
        streamer = TextIteratorStreamer(self._tokenizer, skip_prompt=True, skip_special_tokens=True)
        cancelled = threading.Event()
        worker = _Worker(
            lambda: self._run(
                inputs, stop, tokens_max, never_first=never_first, streamer=streamer, cancelled=cancelled
            ),
            on_end=streamer.end,
        )
        worker.start()
        try:
            yield from streamer
        finally:
            cancelled.set()
            worker.join()
        worker.raise_failure()

    def _numbers(self, text: str) -> list[int]:
        found: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return found

    def _side_by_side(self, prompts: Sequence[Split], tokens_max: int) -> dict[str, torch.Tensor]:
        """Openings and rests, tokenised apart; where they do not fit the window the opening loses its end."""
        rows = []
        for prompt in prompts:
            room = self._model.config.max_position_embeddings - tokens_max
            rest = self._numbers(prompt.rest)[-room:]
            rows.append([*self._numbers(prompt.opening)[: room - len(rest)], *rest])
        filled = self._tokenizer.pad({"input_ids": rows}, return_tensors="pt")
        return {"input_ids": filled["input_ids"], "attention_mask": filled["attention_mask"]}

    def _run(
        self,
        inputs: dict[str, torch.Tensor],
        stop: Sequence[str],
        tokens_max: int,
        *,
        never_first: str = "",
        streamer: Any = None,  # noqa: ANN401 - transformers' streamer
        cancelled: threading.Event | None = None,
    ) -> torch.Tensor:
        from transformers import StoppingCriteriaList

        rule = stopping_rule(self._tokenizer, inputs["input_ids"].shape[1], list(stop), cancelled)
        with failures_are_ours():
            output: torch.Tensor = self._model.generate(
                **inputs,
                max_new_tokens=tokens_max,
                do_sample=False,
                streamer=streamer,
                stopping_criteria=StoppingCriteriaList([rule]),
                begin_suppress_tokens=self._numbers(never_first)[:1] or None,
                pad_token_id=self._tokenizer.pad_token_id,
            )
        return output


class _Worker(threading.Thread):
    """Runs the model beside the reader of its stream and keeps what it raised."""

    def __init__(self, run: Callable[[], object], *, on_end: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._run_model, self._on_end = run, on_end
        self._failure: GenerationFailed | None = None

    def run(self) -> None:
        import torch

        try:
            with torch.inference_mode():
                self._run_model()
        except GenerationFailed as exc:
            self._failure = exc
        finally:
            self._on_end()  # whatever happened, the reader must not wait for ever

    def raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
