"""With what something was measured: settings, code, versions. Equal stamps give equal figures."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

import rag
from eval.measure.measures import JUDGE
from eval.questions.questions import Gold, digest
from rag.settings import Settings

_PACKAGES = ("torch", "transformers", "sentence-transformers", "faiss-cpu", "bm25s", "numpy")
_ELSEWHERE = {"cache_dir", "threads", "allow_download"}  # where and how fast, not what


@dataclass(frozen=True, slots=True)
class Stamp:
    """What was measured and with what: equal fingerprints, code and questions give equal answers."""

    date: str
    system: str
    fingerprint: str
    code: str
    questions: str
    split: str
    judge: str
    settings: Mapping[str, object]
    versions: Mapping[str, str]


def stamp_of(
    system: str, fingerprint: str, golds: Sequence[Gold], *, settings: Settings, split: str, date: str
) -> Stamp:
    """The stamp of a run that began on `date` (ISO)."""
    return Stamp(
        date=date,
        system=system,
        fingerprint=fingerprint,
        code=code_digest(),
        questions=digest(golds),
        split=split,
        judge=JUDGE.name,
        settings=settings_told(settings),
        versions=versions(),
    )


def settings_told(settings: Settings) -> dict[str, object]:
    """The settings as a stamp tells them: without where things lie and how fast they are made."""
    return settings.model_dump(mode="json", exclude=_ELSEWHERE)


@cache
def code_digest(*folders: str) -> str:
    """First 16 hex digits of sha256 over code (the product's): a fingerprint does not see a mended line."""
    root = Path(rag.__file__).parent.parent
    digest = hashlib.sha256()
    names = folders or ("rag", "vectorstore")
    for path in sorted(path for name in names for path in (root / name).rglob("*.py")):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def versions() -> dict[str, str]:
    """Python, machine and the packages that can change a figure."""
    found = {"python": sys.version.split()[0], "machine": f"{platform.machine()}, {os.cpu_count()} cores"}
    for name in ("citewise", *_PACKAGES):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
