"""Keys and values of what a causal model has read, kept for when it reads the same again.

A prompt that was read once costs a file to load instead of a reading: milliseconds for tenths of a second.
Bounded in memory and on disk; what was used least recently goes first. States are float16, as the engine
keeps them itself, so an answer is the same whether they were kept or made anew.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.storage.atomic import write_whole

_log = logging.getLogger(__name__)
_SUFFIX = ".safetensors"

States = Mapping[str, NDArray[np.float16]]


class PrefixStore:
    """States by the token numbers they belong to. May be shared by threads and by processes."""

    def __init__(self, folder: Path, *, disk_bytes: int, memory_bytes: int) -> None:
        self._folder = folder
        self._disk_bytes = disk_bytes
        self._memory_bytes = memory_bytes
        self._known: OrderedDict[str, States] = OrderedDict()
        self._changing = threading.Lock()

    def get(self, tokens: Sequence[int]) -> States | None:
        """What was kept for these tokens; None when nothing was, or when it cannot be read any more."""
        name = _name(tokens)
        with self._changing:
            if name in self._known:
                self._known.move_to_end(name)
                return self._known[name]
        states = self._loaded(self._folder / name)
        if states is not None:
            self._remember(name, states)
        return states

    def put(self, tokens: Sequence[int], states: States) -> None:
        """Keep states, unless they alone are over the bound. A disk that refuses is no reason to fail."""
        from safetensors.numpy import save

        name, content = _name(tokens), save(dict(states))
        self._remember(name, states)
        if len(content) > self._disk_bytes:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._make_room(len(content))
            write_whole(self._folder / name, content)
        except OSError as exc:
            _log.warning("%s: what was read could not be kept (%s)", self._folder, exc)

    def _loaded(self, path: Path) -> States | None:
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            states: States = load(path.read_bytes())
        except (OSError, SafetensorError):
            return None
        with suppress(OSError):  # another process may have made room
            os.utime(path)
        return states

    def _remember(self, name: str, states: States) -> None:
        with self._changing:
            self._known[name] = states
            self._known.move_to_end(name)
            while len(self._known) > 1 and sum(map(_size, self._known.values())) > self._memory_bytes:
                self._known.popitem(last=False)

    def _make_room(self, wanted: int) -> None:
        """Delete files, longest unused first, until `wanted` bytes fit."""
        files = [(path.stat(), path) for path in self._folder.glob(f"*{_SUFFIX}")]
        left = sum(stat.st_size for stat, _ in files)
        for stat, path in sorted(files, key=lambda file: (file[0].st_mtime_ns, file[1].name)):
            if left + wanted <= self._disk_bytes:
                return
            path.unlink(missing_ok=True)
            left -= stat.st_size


def _name(tokens: Sequence[int]) -> str:
    return hashlib.sha256(np.asarray(tokens, dtype=np.int64).tobytes()).hexdigest()[:32] + _SUFFIX


def _size(states: States) -> int:
    return sum(array.nbytes for array in states.values())
