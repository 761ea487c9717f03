"""The real models: what one engine wrote the other can read, and both say the same."""

from __future__ import annotations

from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pytest
from fakes import OFF_CORPUS, PAPERS, THROUGHPUT, texts_of

from rag.assistant import Assistant
from rag.generate.drafts import write_together
from rag.ingest import open_embedder
from rag.models import openings
from rag.models.catalogue import READER, SMALL_READER
from rag.models.engines.decoder import Reading
from rag.models.load import load_generator, load_reader
from rag.models.weights import available
from rag.rerank.paper_reading import NOBODY
from rag.settings import Settings

pytestmark = pytest.mark.slow

TEXTS = [
    *(f"{paper.title} {paper.abstract}" for paper in PAPERS),
    *(sentence for paper in PAPERS for sentence in paper.abstract.split(". ")),
    THROUGHPUT, "word " * 400, "Ünïcödé ≥ 中文", "x", "",
]  # fmt: skip
_WORDLESS = 2  # the last of them: a handful of special tokens, where int8 rounding weighs most


@pytest.fixture(scope="module")
def reference(model_cache: Path) -> np.ndarray:
    embedder = open_embedder(Settings.load(cache_dir=model_cache, engine="torch"))
    return np.array(embedder.model.embed_documents(TEXTS))


@pytest.mark.parametrize("precision", ["int8", "float16"])
def test_vectors_of_either_engine_are_the_same_vectors(
    model_cache: Path, reference: np.ndarray, precision: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("rag.models.engines.compiled.precision_for", lambda role: precision)
    fast = open_embedder(Settings.load(cache_dir=model_cache, engine="openvino"))
    vectors = np.array(fast.model.embed_documents(TEXTS))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    cosines = (vectors * reference).sum(axis=1)
    assert cosines[:-_WORDLESS].min() >= 0.999
    assert cosines.min() >= 0.997
    question = vectors[TEXTS.index(THROUGHPUT)]
    assert np.argmax(reference[: len(PAPERS)] @ question) == 0
    assert fast.model.embed_query(TEXTS[0]) == pytest.approx(vectors[0].tolist(), abs=5e-3)


def test_vectors_carry_one_name_whichever_engine_made_them(model_cache: Path):
    checksums = {
        open_embedder(Settings.load(cache_dir=model_cache, engine=engine)).checksum
        for engine in ("torch", "openvino")
    }
    assert len(checksums) == 1


def test_sentence_transformers_gives_the_same_vectors(model_cache: Path, reference: np.ndarray):
    from rag.models.delta import merged
    from rag.models.embedder import _sentence_transformers
    from rag.models.weights import resolve

    settings = Settings.load(cache_dir=model_cache)
    model = merged(resolve(settings.embedding_model, settings), model_cache)
    theirs = np.array(_sentence_transformers(model, None).embed_documents(TEXTS))
    assert theirs == pytest.approx(reference, abs=1e-5)


OPENINGS = [openings.of_text(paper) for paper in (*texts_of(*PAPERS).values(), NOBODY)]
ASKED = [openings.conversation(opening, openings.asked(THROUGHPUT)) for opening in OPENINGS]


def figures(found: list[Reading]) -> np.ndarray:
    return np.array([(one.likelihood, *one.first) for one in found])


@pytest.mark.parametrize("name", [SMALL_READER, READER])
def test_both_engines_make_about_the_same_of_papers(model_cache: Path, name: str):
    found = {}
    for engine in ("torch", "openvino"):
        settings = Settings.load(cache_dir=model_cache, engine=engine, reader=name)
        if available(name, settings) != name:
            pytest.skip("the reader's base is not on this machine")
        model, _ = load_reader(settings)
        assert model is not None
        found[engine] = figures(model.readings(ASKED, [openings.NOT_TOLD]))
        assert model.readings([], [openings.NOT_TOLD]) == []
        alone = [model.readings([one], [openings.NOT_TOLD])[0] for one in ASKED]
        assert figures(alone) == pytest.approx(found[engine], abs=0.5)  # beside others or not
    # rounding adds up over a question's tokens
    assert np.abs(found["openvino"] - found["torch"]).mean() < 1.0
    # the paper it is asked of makes it likeliest
    assert np.argmax(found["torch"][:, 0]) == np.argmax(found["openvino"][:, 0]) == 0


def test_what_was_read_ahead_reads_as_what_is_read_now_in_any_order(model_cache: Path):
    known = {"cache_dir": model_cache, "engine": "openvino", "reader": SMALL_READER}
    keeping, _ = load_reader(Settings.load(**known, read_ahead_mb=256))
    plain, _ = load_reader(Settings.load(**known, read_ahead_mb=0))
    assert keeping is not None
    assert plain is not None
    first = keeping.readings(ASKED, [openings.NOT_TOLD])
    assert len(list((model_cache / "read-ahead").rglob("*.safetensors"))) >= len(ASKED)
    assert keeping.readings(ASKED, [openings.NOT_TOLD]) == first  # from what was kept
    backwards = keeping.readings(ASKED[::-1], [openings.NOT_TOLD])
    assert figures(backwards[::-1]) == pytest.approx(figures(first), abs=0.5)
    now = figures(plain.readings(ASKED, [openings.NOT_TOLD]))
    assert figures(first) == pytest.approx(now, abs=1.5)  # int8 rounds by rows


def test_greedy_decoding_is_mostly_the_same_by_either_engine(model_cache: Path):
    """int8 rounding turns near ties around: most words agree, not all."""
    conversations = [
        openings.conversation(openings.of_text(paper), openings.asked(question))
        for paper in texts_of(*PAPERS).values()
        for question in (f"What does {paper.title} show?", "Which figures are reported?")
    ]
    drafts = {}
    for engine in ("torch", "openvino"):
        settings = Settings.load(
            cache_dir=model_cache, generator=SMALL_READER, engine=engine, draft_tokens_max=24
        )
        generator, _ = load_generator(settings)
        assert generator is not None
        drafts[engine] = write_together(generator, conversations)
    pairs = list(zip(drafts["torch"], drafts["openvino"], strict=True))
    alike = [SequenceMatcher(None, one.split(), other.split()).ratio() for one, other in pairs]
    assert np.mean(alike) > 0.5
    assert sum(one.split()[:1] == other.split()[:1] for one, other in pairs) >= len(pairs) // 2


@pytest.mark.parametrize(
    "question", [THROUGHPUT, "How many quality criteria does DataMan derive?", OFF_CORPUS]
)
def test_verified_answers_agree(model_cache: Path, question: str):
    """Whatever the drafts, what is cited and whether there is an answer come out the same."""
    told = []
    for engine in ("torch", "openvino"):
        settings = Settings.load(
            cache_dir=model_cache, engine=engine, generator=SMALL_READER, reader=SMALL_READER,
            draft_tokens_max=48,
        )  # fmt: skip
        answer = Assistant.open(settings=settings).ask(question)
        told.append((answer.status == "abstained", [citation.paper_id for citation in answer.citations][:1]))
    assert told[0] == told[1]
