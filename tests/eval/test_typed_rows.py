"""Lines as typed records, and in which words a line is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from eval.typed_rows import typed_rows, whole_text
from rag.errors import QuestionFileError


class Named(BaseModel):
    id: int
    inner: dict[str, int] = {}


def test_lines_keep_their_numbers_and_say_which_field_is_wrong() -> None:
    lines = ['{"id": 1}', "", b' {"id": 2}\n', '{"id": "x"}', '{"id": 3, "inner": {"a": "b"}}', "{"]
    found = list(typed_rows(lines, Named))
    assert found[:2] == [(1, Named(id=1)), (3, Named(id=2))]
    assert [number for number, _ in found] == [1, 3, 4, 5, 6]
    reasons = [str(row) for _, row in found[2:]]
    assert [reason.split(":")[0] for reason in reasons] == ["`id`", "`inner.a`", "Invalid JSON"]


@pytest.mark.parametrize(("data", "reason"), [(None, "No such file"), (b"\xff", "can't decode")])
def test_a_file_that_is_no_text_is_named(tmp_path: Path, data: bytes | None, reason: str) -> None:
    path = tmp_path / "rows.jsonl"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(QuestionFileError, match=reason) as caught:
        whole_text(path, "Mend it.")
    assert (str(path) in caught.value.message, caught.value.hint) == (True, "Mend it.")


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\xef\xbb\xbf{}\n")
    assert whole_text(path, "") == "{}\n"
