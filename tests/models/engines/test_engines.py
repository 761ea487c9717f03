"""The real models: what one engine wrote the other can read, and both say the same."""

from __future__ import annotations

from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pytest
from fakes import OFF_CORPUS, PAPERS, THROUGHPUT

from rag.assistant import Assistant
from rag.generate.drafts import write_together
from rag.generate.prompt import draft_messages
from rag.ingest import open_embedder
from rag.models.load import load_generator, load_question_model
from rag.rerank.query_likelihood import question_messages
from rag.settings import Settings
from rag.text.sentences import sentence_spans
from rag.types import Evidence

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


def test_questions_are_about_as_likely_by_either_engine(model_cache: Path):
    told = [question_messages(paper.title, paper.abstract) for paper in PAPERS]
    found = {}
    for engine in ("torch", "openvino"):
        model, _ = load_question_model(Settings.load(cache_dir=model_cache, engine=engine))
        assert model is not None
        found[engine] = np.array(model.likelihoods([*told, question_messages("", "")], THROUGHPUT))
        assert model.likelihoods([], THROUGHPUT) == []
        assert model.likelihoods(told[:1], "") == [0.0]
        alone = np.array([model.likelihoods([one], THROUGHPUT)[0] for one in told])
        assert alone == pytest.approx(found[engine][:-1], abs=0.15)  # beside others or not
    # rounding adds up over a question's tokens: over 72 prompts of the product .66 nats of 120, at most 2.8
    assert np.abs(found["openvino"] - found["torch"]).mean() < 1.0
    assert np.argmax(found["torch"]) == np.argmax(found["openvino"]) == 0


def test_what_was_read_ahead_scores_as_what_is_read_now_in_any_order(model_cache: Path, tmp_path: Path):
    told = [*(question_messages(paper.title, paper.abstract) for paper in PAPERS), question_messages("", "")]
    settings = Settings.load(cache_dir=model_cache, engine="openvino", read_ahead_mb=256)
    model, _ = load_question_model(settings)
    together, _ = load_question_model(Settings.load(cache_dir=model_cache, engine="openvino"))
    assert model is not None
    assert together is not None
    first = model.likelihoods(told, THROUGHPUT)
    assert len(list((model_cache / "read-ahead").rglob("*.safetensors"))) >= len(told)
    assert model.likelihoods(told, THROUGHPUT) == first  # from what was kept
    assert model.likelihoods(told[::-1], THROUGHPUT) == first[::-1]
    assert model.likelihoods(told[:1], THROUGHPUT) == first[:1]
    assert first == pytest.approx(together.likelihoods(told, THROUGHPUT), abs=1.5)  # int8 rounds by rows


def test_greedy_decoding_is_mostly_the_same_by_either_engine(model_cache: Path):
    """int8 rounding turns near ties around: most words agree, not all."""
    conversations = [
        draft_messages(question, [Evidence(1, paper, start, end, 0.9) for start, end in spans])
        for paper in PAPERS
        for question in (f"What does {paper.title} show?", "Which figures are reported?")
        if (spans := sentence_spans(paper.abstract))
    ]
    drafts = {}
    for engine in ("torch", "openvino"):
        settings = Settings.load(cache_dir=model_cache, engine=engine, draft_tokens_max=24)
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
        settings = Settings.load(cache_dir=model_cache, engine=engine, draft_tokens_max=48)
        answer = Assistant.open(settings=settings).ask(question)
        told.append((answer.status == "abstained", [citation.paper_id for citation in answer.citations][:1]))
    assert told[0] == told[1]
