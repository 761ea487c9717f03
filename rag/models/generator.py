"""The generator as LangChain's `BaseChatModel`: a local causal model, greedy, streaming, in batches.

Only the chat template may produce special tokens: look-alikes in evidence or questions are broken up
before they reach it. Any other LangChain chat model can stand in its place (`rag.models.load`).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import uuid4

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult, LLMResult
from pydantic import PrivateAttr

from rag.errors import ModelCorrupt
from rag.models.engines.causal import load_causal
from rag.models.engines.chat_template import ChatTokens
from rag.models.engines.choose import Engine
from rag.models.engines.compiled import GRAPH_VERSION, compiled
from rag.models.engines.decoder import Decoder, Reading, Split
from rag.models.engines.kv_cache import PrefixStore
from rag.models.engines.openvino_decoder import OpenVinoDecoder
from rag.models.engines.torch_decoder import TorchDecoder
from rag.models.openings import OPENING_ENDS, OPENING_KEPT
from rag.models.weights import ResolvedModel

_ROLES = {"human": "user", "ai": "assistant", "system": "system"}
_KEPT_IN_MEMORY = 8  # one part in so many of what is kept on disk
# A zero-width-free way to break a look-alike: the bars are what makes the tokenizer see one token.
_SPECIAL = re.compile(r"<\|([^|<>]{0,40})\|>")


def defuse(text: str) -> str:
    """Chat-template look-alikes such as `<|im_start|>` become plain text."""
    return _SPECIAL.sub(r"< \1 >", text)


class LocalChatModel(BaseChatModel):
    """A causal model in a folder behind LangChain's chat interface. Same input, same output.

    `checksum` and `cache_dir` name and place the graph that the OpenVINO engine makes of it.
    `never_first`: what no text begins with; whether it would have is asked of `readings`.
    """

    model_folder: str
    max_tokens: int = 80
    threads: int | None = None
    engine: Engine = "torch"
    checksum: str = ""
    cache_dir: Path | None = None
    read_ahead_mb: int = 0
    never_first: str = ""
    _decoder: Decoder | None = PrivateAttr(default=None)
    # A plain lock: a stream may be advanced and closed by different threads of a server's pool.
    _decoding: Any = PrivateAttr(default_factory=threading.Lock)
    _loading: Any = PrivateAttr(default_factory=threading.Lock)

    @property
    def _llm_type(self) -> str:
        return "citewise-local"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_folder": self.model_folder, "max_tokens": self.max_tokens, "engine": self.engine}

    def load(self) -> Decoder:
        """Read the weights now instead of at the first question.

        :raises ModelCorrupt: if the folder holds no usable model.
        """
        with self._loading:
            if self._decoder is None:
                self._decoder = self._opened()
            return self._decoder

    def _opened(self) -> Decoder:
        folder = Path(self.model_folder)
        if self.engine == "torch" or self.cache_dir is None:
            return TorchDecoder(*load_causal(self.model_folder, self.threads))
        model = ResolvedModel(folder.name, folder, self.checksum)
        try:
            tokens = ChatTokens(folder)
        except (OSError, KeyError, ValueError) as exc:
            raise ModelCorrupt(f"{folder}: not a usable chat model ({exc})", hint="Try another.") from exc
        graph = compiled(model, "decoder", cache_dir=self.cache_dir, threads=self.threads)
        return OpenVinoDecoder(graph, tokens, self._prefixes(self.cache_dir))

    def _prefixes(self, cache_dir: Path) -> PrefixStore | None:
        """Where what was read is kept; None when it is not."""
        if not self.read_ahead_mb:
            return None
        folder = cache_dir / "read-ahead" / f"{self.checksum[:12]}-{GRAPH_VERSION}"
        disk_bytes = self.read_ahead_mb << 20
        return PrefixStore(folder, disk_bytes=disk_bytes, memory_bytes=disk_bytes // _KEPT_IN_MEMORY)

    def prompt_text(self, messages: Sequence[BaseMessage]) -> str:
        """What the model reads, after the chat template."""
        split = self.prompt_parts(messages)
        return split.opening + split.rest

    def prompt_parts(self, messages: Sequence[BaseMessage]) -> Split:
        """The same, cut where a message says that an opening ends (`rag.models.openings`)."""
        turns, cut, keeps = [], "", True
        for message in messages:
            content = str(message.content)
            end = message.additional_kwargs.get(OPENING_ENDS)
            if end is not None:
                keeps = bool(message.additional_kwargs.get(OPENING_KEPT))
                cut = f"\ue000{uuid4().hex}\ue000"
                content = f"{defuse(content[:end])}{cut}{defuse(content[end:])}"
            else:
                content = defuse(content)
            turns.append({"role": _ROLES[message.type], "content": content})
        text = self.load().prompt(turns)
        if not cut:
            return Split("", text)
        opening, _, rest = text.partition(cut)
        return Split(opening, rest, keeps)

    def readings(self, conversations: Sequence[Sequence[BaseMessage]], first: Sequence[str]) -> list[Reading]:
        """Of each conversation: how likely what follows its opening is, and each word at its end."""
        return self.load().read([self.prompt_parts(messages) for messages in conversations], first)

    def count_tokens(self, text: str) -> int:
        """Number of tokens of a plain text."""
        return self.load().count(text)

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
        *,
        drafts: _Drafts | None = None,
        **kwargs: Any,  # noqa: ANN401 - LangChain's signature
    ) -> Iterator[ChatGenerationChunk]:
        # LangChain streams behind `generate`, too, where events are watched
        pieces = self._pieces(messages, stop) if drafts is None else iter([drafts.take()])
        for piece in chain([next(pieces, "")], pieces):  # LangChain refuses a stream without a piece
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
            if run_manager:
                run_manager.on_llm_new_token(piece, chunk=chunk)
            yield chunk

    def _decode(self, conversations: list[list[BaseMessage]], stop: list[str] | None) -> list[str]:
        """Greedy decoding of several prompts; returns the new text of each."""
        prompts = [self.prompt_parts(messages) for messages in conversations]
        with self._decoding:
            texts = self.load().write(prompts, stop or [], self.max_tokens, never_first=self.never_first)
        return [_cut(text, stop) for text in texts]

    def _pieces(self, messages: list[BaseMessage], stop: list[str] | None) -> Iterator[str]:
        """The same greedy decoding, a piece at a time. Closing the iterator stops the model."""
        prompt = self.prompt_parts(messages)
        pieces = self.load().pieces(prompt, stop or [], self.max_tokens, never_first=self.never_first)
        with self._decoding, closing(pieces) as written:
            yield from _until(written, stop or [])


class _Drafts:
    """Texts decoded together, handed out one by one as LangChain asks for each conversation."""

    def __init__(self, texts: list[str]) -> None:
        self._texts = iter(texts)

    def take(self) -> str:
        return next(self._texts)


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
