"""What is compared, each as its own documentation sets it up, on the same papers and the same two models.

A contender lives in a process of its own (`eval.bench.worker`), so that its imports and its memory are its
own. To add a peer: a file with one class, and one line here in `CONTENDERS` and in `NEEDS`.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from eval.bench.contenders.base import Contender
from eval.bench.contenders.citewise import Citewise
from eval.bench.contenders.langchain import LangChain
from eval.bench.contenders.llamaindex import LlamaIndex
from eval.bench.contenders.txtai import Txtai

CONTENDERS: dict[str, type[Contender]] = {
    "citewise": Citewise,
    "langchain": LangChain,
    "txtai": Txtai,
    "llamaindex": LlamaIndex,
}
# What pip calls the packages that a contender needs beyond Citewise's own.
NEEDS: dict[str, tuple[str, ...]] = {
    "citewise": (),
    "langchain": ("langchain-huggingface", "langchain-text-splitters"),
    "txtai": ("txtai",),
    "llamaindex": ("llama-index-core", "llama-index-embeddings-huggingface", "llama-index-llms-huggingface"),
}
REFERENCE = "langchain"
# In Citewise's own environment: they resolve together. torch by name, or pip may take a build for graphics
# cards; `constraints.txt` has its version.
INSTALL = "pip install -c constraints.txt torch==2.13.0 -e '.[bench]'"


def missing(name: str) -> str | None:
    """Why a contender cannot run here; None when it can."""
    if name not in CONTENDERS:
        return f"there is no such contender, only {', '.join(CONTENDERS)}"
    lacking = [package for package in NEEDS[name] if not _installed(package)]
    return f"{', '.join(lacking)} not installed; {INSTALL}" if lacking else None


def _installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True
