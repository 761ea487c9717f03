"""What the tests of the training scripts share."""

from __future__ import annotations

from pathlib import Path

import pytest

from training import sources


@pytest.fixture
def nothing_added(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder's sets alone, without what lies in `training/items`."""
    monkeypatch.setattr(sources, "ITEMS", tmp_path / "no items")
