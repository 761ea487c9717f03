"""What a pipeline is given: the stages of a question, in their order, and how a chain around it sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from langchain_core.runnables import RunnableLambda

from rag.evidence.select import EvidenceSelection
from rag.generate.drafts import Drafting, Quoting
from rag.pipeline.conclude import Conclusion
from rag.query.condense import Condenser
from rag.rerank.cascade import RerankCascade, RetrievedOrder
from rag.retrieve.stage import Retrieval
from rag.verify.grounding import Verification

_Self = TypeVar("_Self")
_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class Stages:
    """Each is an object with its own parts and weights; one that is switched off is a null object."""

    condense: Condenser
    retrieve: Retrieval
    rerank: RerankCascade | RetrievedOrder
    select: EvidenceSelection
    generate: Drafting | Quoting
    verify: Verification
    conclude: Conclusion


def traced(
    name: str,
) -> Callable[[Callable[Concatenate[_Self, _Given], _Made]], Callable[Concatenate[_Self, _Given], _Made]]:
    """A method as a LangChain run of this name: callbacks and tracing of any chain around us see it."""

    def decorated(
        method: Callable[Concatenate[_Self, _Given], _Made],
    ) -> Callable[Concatenate[_Self, _Given], _Made]:
        @wraps(method)
        def run(self: _Self, /, *args: _Given.args, **options: _Given.kwargs) -> _Made:
            call: RunnableLambda[object, _Made] = RunnableLambda(
                lambda _: method(self, *args, **options), name=name
            )
            return call.invoke({"args": args, **options})

        return run

    return decorated
