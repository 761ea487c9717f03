"""The generator as LangChain's `BaseChatModel`: a local causal model, greedy, streaming, in batches.

Only the chat template may produce special tokens: look-alikes in evidence or questions are broken up
before they reach it. Any other LangChain chat model can stand in its place (`rag.models.chat`).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult, LLMResult
from pydantic import PrivateAttr

from rag.errors import GenerationFailed
from rag.models.causal import load_causal
from rag.models.stopping import stopping_rule

if TYPE_CHECKING:
    import torch

_ROLES = {"human": "user", "ai": "assistant", "system": "system"}
# A zero-width-free way to break a look-alike: the bars are what makes the tokenizer see one token.
_SPECIAL = re.compile(r"<\|([^|<>]{0,40})\|>")


def defuse(text: str) -> str:
    """Chat-template look-alikes such as `<|im_start|>` become plain text."""
    return _SPECIAL.sub(r"< \1 >", text)


class LocalChatModel(BaseChatModel):
    """A transformers causal model behind LangChain's chat interface. Same input, same output.

    `trained`: it was trained to read our evidence, so it is asked with the shorter prompt of its training.
    """

    model_folder: str
    max_tokens: int = 80
    threads: int | None = None
    trained: bool = False
    _model: Any = PrivateAttr(default=None)
    _tokenizer: Any = PrivateAttr(default=None)
    # A plain lock: a stream may be advanced and closed by different threads of a server's pool.
    _decoding: Any = PrivateAttr(default_factory=threading.Lock)
    _loading: Any = PrivateAttr(default_factory=threading.Lock)

    @property
    def _llm_type(self) -> str:
        return "citewise-local"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_folder": self.model_folder, "max_tokens": self.max_tokens}

    def load(self) -> None:
        """Read the weights now instead of at the first question.

        :raises ModelCorrupt: if the folder holds no usable model.
        """
        with self._loading:
            if self._model is None:
                self._model, self._tokenizer = load_causal(self.model_folder, self.threads)

    def prompt_text(self, messages: Sequence[BaseMessage]) -> str:
        """What the model reads, after the chat template."""
        self.load()
        turns = [{"role": _ROLES[m.type], "content": defuse(str(m.content))} for m in messages]
        return str(self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))

    def count_tokens(self, text: str) -> int:
        """Number of tokens of a plain text."""
        self.load()
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def generate(
        self,
        messages: list[list[BaseMessage]],
        stop: list[str] | None = None,
        callbacks: Any = None,  # noqa: ANN401 - LangChain's own union, wider than we use
        **kwargs: Any,  # noqa: ANN401 - LangChain's signature
    ) -> LLMResult:
        """Several conversations decoded together in one padded batch; callbacks fire for each."""
        if len(messages) > 1:
            kwargs["drafts"] = _Drafts(self._decode(messages, stop))
        return super().generate(messages, stop, callbacks, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        *,
        drafts: _Drafts | None = None,
        **kwargs: Any,  # noqa: ANN401 - LangChain's signature
    ) -> ChatResult:
        text = drafts.take() if drafts is not None else self._decode([messages], stop)[0]
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=text))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,  # noqa: ANN401 - LangChain's signature
    ) -> Iterator[ChatGenerationChunk]:
        for piece in self._pieces(messages, stop):
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
            if run_manager:
                run_manager.on_llm_new_token(piece, chunk=chunk)
            yield chunk

    def _decode(self, conversations: list[list[BaseMessage]], stop: list[str] | None) -> list[str]:
        """Greedy decoding of padded prompts; returns the new text of each."""
        import torch

        with self._decoding:
            inputs = self._encode(conversations)
            start = inputs["input_ids"].shape[1]
            with torch.inference_mode():
                output = self._run(inputs, start, stop)
            rows = self._tokenizer.batch_decode(output[:, start:], skip_special_tokens=True)
        return [_cut(text, stop) for text in rows]

    def _pieces(self, messages: list[BaseMessage], stop: list[str] | None) -> Iterator[str]:
        """The same greedy decoding, a piece at a time. Closing the iterator stops the model."""
        from transformers import TextIteratorStreamer

        with self._decoding:
            inputs = self._encode([messages])
            streamer = TextIteratorStreamer(self._tokenizer, skip_prompt=True, skip_special_tokens=True)
            cancelled = threading.Event()
            worker = _Worker(
                lambda: self._run(
                    inputs, inputs["input_ids"].shape[1], stop, streamer=streamer, cancelled=cancelled
                ),
                on_end=streamer.end,
            )
            worker.start()
            try:
                yield from _until(streamer, stop or [])
            finally:
                cancelled.set()
                worker.join()
            worker.raise_failure()

    def _encode(self, conversations: list[list[BaseMessage]]) -> dict[str, torch.Tensor]:
        prompts = [self.prompt_text(messages) for messages in conversations]
        encoded = self._tokenizer(
            prompts,
            return_tensors="pt",
            padding=True,
            add_special_tokens=False,
            truncation=True,
            max_length=self._model.config.max_position_embeddings - self.max_tokens,
        )
        return {"input_ids": encoded["input_ids"], "attention_mask": encoded["attention_mask"]}

    def _run(
        self,
        inputs: dict[str, torch.Tensor],
        prompt_tokens: int,
        stop: list[str] | None,
        *,
        streamer: Any = None,  # noqa: ANN401 - transformers' streamer
        cancelled: threading.Event | None = None,
    ) -> torch.Tensor:
        from transformers import StoppingCriteriaList

        rule = stopping_rule(self._tokenizer, prompt_tokens, stop or [], cancelled)
        try:
            output: torch.Tensor = self._model.generate(
                **inputs,
                max_new_tokens=self.max_tokens,
                do_sample=False,
                streamer=streamer,
                stopping_criteria=StoppingCriteriaList([rule]),
                pad_token_id=self._tokenizer.pad_token_id,
            )
            return output
        except (RuntimeError, ValueError, TypeError, IndexError) as exc:
            raise GenerationFailed(
                f"the generator failed: {exc}", hint="Ask again, or set CITEWISE_GENERATOR=none."
            ) from exc


class _Drafts:
    """Texts decoded together, handed out one by one as LangChain asks for each conversation."""

    def __init__(self, texts: list[str]) -> None:
        self._texts = iter(texts)

    def take(self) -> str:
        return next(self._texts)


class _Worker(threading.Thread):
    """Runs the model beside the reader of its stream and keeps what it raised."""

    def __init__(self, run: Any, *, on_end: Any) -> None:  # noqa: ANN401 - two callables
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


def _cut(text: str, stop: list[str] | None) -> str:
    """The text before the first stop string."""
    for mark in stop or []:
        text = text.split(mark, 1)[0]
    return text.strip()


def _until(pieces: Iterable[str], stop: Sequence[str]) -> Iterator[str]:
    """The pieces up to the first stop string; what may be the beginning of one is held back."""
    text, told = "", 0
    for piece in pieces:
        text += piece
        ends = [at for mark in stop if (at := text.find(mark, told)) >= 0]
        safe = min(ends) if ends else len(text) - _begun(text[told:], stop)
        if safe > told:
            yield text[told:safe]
        told = safe
        if ends:
            return
    if told < len(text):
        yield text[told:]


def _begun(text: str, stop: Sequence[str]) -> int:
    """Length of the longest end of the text with which a stop string begins."""
    lengths = (n for mark in stop for n in range(1, len(mark)) if text.endswith(mark[:n]))
    return max(lengths, default=0)
