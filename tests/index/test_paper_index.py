"""An index on disk: what opens, and what is refused by name because something in it was changed."""

from __future__ import annotations

import dataclasses
import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import DIMENSION, GALORE, MONARCH, PAPERS, RETRO, built, fake_embedder

from rag.errors import IndexCorrupt, IndexMismatch, IndexMissing
from rag.index.manifest import FORMAT, content_digest
from rag.index.paper_index import PaperIndex, open_index
from rag.storage.checksums import sha256_of
from rag.storage.generations import current_name
from rag.types import Paper


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def index(root: Path) -> PaperIndex:
    return built(root)


def generation(root: Path) -> Path:
    """The folder of the generation in use."""
    return root / str(current_name(root))


def edit_manifest(root: Path, change: Callable[[dict], object]) -> None:
    path = generation(root) / "manifest.json"
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


def vouch_for_manifest(root: Path) -> None:
    """CURRENT with the checksum of the manifest as it is now: a later check has to find the fault."""
    folder = generation(root)
    (root / "CURRENT").write_text(f"{folder.name} {sha256_of(folder / 'manifest.json')}\n")


def test_papers_come_back_as_they_went_in(index: PaperIndex) -> None:
    assert list(index.all_papers()) == sorted(PAPERS, key=lambda paper: paper.paper_id)
    assert index.papers(["retro", "nobody", "monarch"]) == [RETRO, MONARCH]
    assert index.papers([]) == []
    assert len(index) == len(PAPERS)


def test_a_paper_keeps_every_field(root: Path) -> None:
    paper = Paper("p/1", "Tïtle", "A.\nB. \U0001d11e", 1999, "https://x.org", "ACL", ("A. B", "C"), ("f",))
    assert list(built(root, [paper]).all_papers()) == [paper]


def test_more_papers_than_one_query_takes(root: Path) -> None:
    papers = [Paper(f"p{number:04d}", f"Title {number}", "Short.") for number in range(1203)]
    index = built(root, papers)
    wanted = [paper.paper_id for paper in reversed(papers)]
    assert index.papers(wanted) == papers[::-1]


def test_the_manifest_tells_how_the_index_was_made(index: PaperIndex, root: Path) -> None:
    manifest = index.manifest
    embedder = fake_embedder()
    assert (manifest.format, manifest.papers, manifest.dimension) == (FORMAT, 5, DIMENSION)
    assert manifest.vectors == len(index.store)
    assert (manifest.embedding_model, manifest.embedding_checksum) == (
        embedder.name,
        embedder.checksum,
    )
    assert manifest.content == content_digest(PAPERS, embedder.checksum, manifest.views)
    written = {
        str(path.relative_to(generation(root))) for path in generation(root).rglob("*") if path.is_file()
    }
    assert written == {*manifest.files, "manifest.json"}
    assert {"papers.sqlite", "vectors.faiss", "vectors.ids.json", "lexical/papers.json"} <= written


def test_the_fingerprint_follows_the_content(root: Path, index: PaperIndex, tmp_path: Path) -> None:
    assert built(tmp_path / "again", PAPERS[::-1]).fingerprint == index.fingerprint
    changed = [dataclasses.replace(MONARCH, year=1999), *PAPERS[1:]]
    assert built(tmp_path / "other", changed).fingerprint != index.fingerprint


def test_one_index_serves_several_threads(index: PaperIndex) -> None:
    found: list[list[Paper]] = []
    threads = [threading.Thread(target=lambda: found.append(index.papers(["galore"]))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[GALORE]] * 4


def test_no_index_is_said_so(root: Path) -> None:
    with pytest.raises(IndexMissing, match="no index here") as caught:
        open_index(root)
    assert "citewise ingest" in caught.value.hint


FILES = (
    "papers.sqlite",
    "vectors.faiss",
    "vectors.ids.json",
    "lexical/papers.json",
    "lexical/data.csc.index.npy",
    "lexical/indices.csc.index.npy",
    "lexical/indptr.csc.index.npy",
    "lexical/vocab.index.json",
    "lexical/params.index.json",
    "lexical/terms.npy",
    "lexical/term_counts.npy",
)


def test_the_files_below_are_all_there_are(index: PaperIndex) -> None:
    assert set(index.manifest.files) == set(FILES)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_a_changed_file_is_named(root: Path, index: PaperIndex, name: str, damage: str) -> None:
    path = generation(root) / name
    whole = path.read_bytes()
    middle = len(whole) // 2
    if damage == "flipped":
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    elif damage == "cut":
        path.write_bytes(whole[:-1])
    else:
        path.unlink()
    with pytest.raises(IndexCorrupt) as caught:
        open_index(root)
    assert str(path) in caught.value.message
    assert "citewise ingest --replace" in caught.value.hint
    if damage != "gone":
        assert index.manifest.files[name][:16] in caught.value.message


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"7", b'{"format": 1}', b"\xff\xfe", b'{"format": 1, "views": 3}'],
)
def test_a_damaged_manifest_is_named(root: Path, index: PaperIndex, content: bytes) -> None:
    path = generation(root) / "manifest.json"
    written = sha256_of(path)
    path.write_bytes(content)
    with pytest.raises(IndexCorrupt) as caught:
        open_index(root)
    assert str(path) in caught.value.message
    assert written[:16] in caught.value.message
    assert sha256_of(path)[:16] in caught.value.message
    vouch_for_manifest(root)
    with pytest.raises(IndexCorrupt) as caught:
        open_index(root)
    assert f"{path}: unreadable" in caught.value.message


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record.pop("files"),
        lambda record: record.update(files=["papers.sqlite"]),
        lambda record: record.update(files={}),
        lambda record: record["files"].pop("papers.sqlite"),
        lambda record: record.update(papers=7),
        lambda record: record.update(vectors=1),
        lambda record: record.update(dimension=8),
        lambda record: record.update(content="0" * 64),
    ],
    ids=["no-files", "list", "empty", "one-missing", "papers", "vectors", "dimension", "content"],
)
def test_a_manifest_that_was_edited_is_refused(
    root: Path, index: PaperIndex, change: Callable[[dict], object]
) -> None:
    edit_manifest(root, change)
    with pytest.raises(IndexCorrupt, match=r"manifest\.json: sha256 is"):
        open_index(root)


def test_a_missing_manifest_is_named(root: Path, index: PaperIndex) -> None:
    (generation(root) / "manifest.json").unlink()
    with pytest.raises(IndexCorrupt, match=r"manifest\.json"):
        open_index(root)


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"gen-999999\n", b"../index/gen-000001", b"gen-/../gen-000001", b"/tmp", b".",
     b"gen-000001\ngen-000002", b"\xff\xff", b"gen-\x00"],
)  # fmt: skip
def test_a_damaged_current_is_named(root: Path, index: PaperIndex, content: bytes) -> None:
    (root / "CURRENT").write_bytes(content)
    with pytest.raises(IndexCorrupt) as caught:
        open_index(root)
    assert str(root / "CURRENT") in caught.value.message


@pytest.mark.parametrize("rest", ["", " ", "\n", " 0", " " + "0" * 64, "\t{}", "  {}", " {} {}", "{}"])
def test_a_current_without_the_checksum_is_refused(root: Path, index: PaperIndex, rest: str) -> None:
    name, _, digest = (root / "CURRENT").read_text().strip().partition(" ")
    assert (name, digest) == ("gen-000001", sha256_of(root / name / "manifest.json"))
    (root / "CURRENT").write_text(name + rest.replace("{}", digest))
    with pytest.raises(IndexCorrupt):
        open_index(root)
    (root / "CURRENT").write_text(f"{name} {digest}")  # only the end of the line is free
    assert len(open_index(root)) == len(PAPERS)


def test_a_generation_that_is_gone_is_named(root: Path, index: PaperIndex) -> None:
    shutil.rmtree(generation(root))
    with pytest.raises(IndexCorrupt, match="CURRENT"):
        open_index(root)


def test_another_format_names_both(root: Path, index: PaperIndex) -> None:
    edit_manifest(root, lambda record: record.update(format=FORMAT + 1))
    vouch_for_manifest(root)
    with pytest.raises(IndexMismatch) as caught:
        open_index(root)
    assert f"format {FORMAT + 1}" in caught.value.message
    assert f"reads {FORMAT}" in caught.value.message


def test_a_later_format_may_have_other_fields(root: Path, index: PaperIndex) -> None:
    def later(record: dict) -> None:
        record.update(format=FORMAT + 1, shards=3)
        del record["views"]

    edit_manifest(root, later)
    vouch_for_manifest(root)
    with pytest.raises(IndexMismatch, match=f"format {FORMAT + 1}"):
        open_index(root)


def test_another_embedding_model_names_both(root: Path, index: PaperIndex) -> None:
    made, asked = fake_embedder(), fake_embedder("hash-b")
    with pytest.raises(IndexMismatch) as caught:
        open_index(root, embedding_checksum=asked.checksum)
    assert made.name in caught.value.message
    assert made.checksum[:12] in caught.value.message
    assert asked.checksum[:12] in caught.value.message
    assert len(open_index(root, embedding_checksum=made.checksum)) == len(PAPERS)
