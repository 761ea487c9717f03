"""Says what is missing on this machine and the command that mends it. Imports no model code.

Looks at the Python version, the packages' metadata, the models, the indexes and the cache folder.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from rag.errors import CitewiseError, IndexMissing
from rag.settings import Settings
from rag.storage.checksums import forget

_NAME = "citewise"
_PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*\(?([^;)]*)\)?\s*(;.*)?$")
_BOUND = re.compile(r"(>=|<)\s*([0-9.]+)")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: whether it is as needed, what was seen, the command that mends it."""

    name: str
    ok: bool
    detail: str
    fix: str = ""


def diagnose(settings: Settings) -> list[Check]:
    """Every check, in the order in which to mend."""
    forget(settings.cache_dir)  # so that every file is read
    packages = [_package(requirement) for requirement in requirements()]
    complete = all(check.ok for check in packages)
    return [
        _python(),
        *packages,
        *_models(settings),
        *_indexes(settings, complete=complete),
        _cache(settings),
        _offline(settings),
    ]


def version() -> str:
    """The version installed, or of the checkout this file stands in."""
    try:
        return metadata.version(_NAME)
    except metadata.PackageNotFoundError:
        return str(_project().get("version", "unknown"))


def requirements() -> list[str]:
    """The packages Citewise needs at run time, such as `numpy>=2`."""
    try:
        declared = metadata.requires(_NAME) or []
    except metadata.PackageNotFoundError:
        found = _project().get("dependencies", [])
        declared = [str(item) for item in found] if isinstance(found, list) else []
    return [item for item in declared if "extra ==" not in item]


def _project() -> dict[str, object]:
    """The `[project]` table of the checkout; empty when there is no checkout."""
    if not _PYPROJECT.is_file():
        return {}
    found = tomllib.loads(_PYPROJECT.read_text(encoding="utf-8")).get("project", {})
    return found if isinstance(found, dict) else {}


def _python() -> Check:
    seen = ".".join(str(part) for part in sys.version_info[:3])
    wanted = (3, 11) <= sys.version_info[:2] < (3, 14)
    return Check("python", wanted, seen, "" if wanted else "Install Python 3.11, 3.12 or 3.13")


def _package(requirement: str) -> Check:
    """Whether an installed version lies in its bounds, from metadata alone."""
    parsed = _REQUIREMENT.match(requirement)
    name, bounds = (parsed[1], parsed[2]) if parsed else (requirement, "")
    fix = f'pip install "{name}{bounds.replace(" ", "")}"'
    try:
        seen = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Check(name, False, "not installed", fix)
    for sign, bound in _BOUND.findall(bounds):
        if (_numbers(seen) >= _numbers(bound)) != (sign == ">="):
            return Check(name, False, f"{seen} is installed, {sign}{bound} is needed", fix)
    return Check(name, True, seen)


def _numbers(text: str) -> tuple[int, ...]:
    """The release part of a version, for comparing; trailing zeros do not count."""
    release = re.match(r"\d+(?:\.\d+)*", text)
    parts = [int(part) for part in release[0].split(".")] if release else [0]
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def _models(settings: Settings) -> Iterator[Check]:
    from rag.models.weights import model_status

    try:
        for model in model_status(settings):
            place = f"{model.path}, " if model.path else ""
            yield Check(f"{model.role} {model.name}", model.ok, f"{place}{model.detail}", model.hint)
    except ImportError as exc:
        yield Check("models", False, f"cannot be looked for: {exc}", "Mend the packages first")


def _indexes(settings: Settings, *, complete: bool) -> Iterator[Check]:
    """Each index under the cache folder, every file against its checksum."""
    root = settings.cache_dir / "index"
    folders = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    if not folders:
        yield Check("index", True, "none yet; it is built at the first question")
    elif not complete:
        yield Check("index", False, "not looked at while packages are missing", "Mend them first")
    else:
        yield from (_index(folder) for folder in folders)


def _index(folder: Path) -> Check:
    from rag.index.paper_index import open_index

    name = f"index {folder.name}"
    try:
        index = open_index(folder, outdated=True)
    except IndexMissing:
        return Check(name, True, "not built yet")
    except CitewiseError as exc:
        return Check(name, False, exc.message, exc.hint)
    anew = "; of an earlier format, made anew when next opened" if index.manifest.is_outdated else ""
    return Check(name, True, f"{len(index)} papers, checksums match{anew}")


def _cache(settings: Settings) -> Check:
    """Whether the cache folder, or the nearest folder above it that exists, can be written."""
    folder = settings.cache_dir
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    ok = nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
    fix = "" if ok else "Set CITEWISE_CACHE_DIR to a folder you may write"
    return Check("cache", ok, f"{folder} {'can' if ok else 'cannot'} be written", fix)


def _offline(settings: Settings) -> Check:
    if settings.allow_download:
        return Check("network", True, "models may be downloaded (allow_download is on)")
    return Check("network", True, "never used: models are read from this machine only")
