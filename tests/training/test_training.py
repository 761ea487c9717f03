"""What the training scripts share, without training anything."""

from __future__ import annotations

import gzip
import json
import random

import numpy as np
import pytest

from training import runs

torch = pytest.importorskip("torch")


@pytest.fixture
def arguments(tmp_path, monkeypatch):
    run = ["train", "--data", str(tmp_path), "--out", str(tmp_path / "a" / "run"), "--limit", "5"]
    monkeypatch.setattr("sys.argv", run)
    return runs.begin(
        runs.parser("Trains.\n\nMore.", seed=7, epochs=1, batch=6, rate=1e-4, counted="pairs"), threads=None
    )


def test_a_run_begins_with_its_folder_its_seed_and_its_defaults(arguments):
    assert arguments.out.is_dir()
    assert (arguments.seed, arguments.epochs, arguments.batch, arguments.rate) == (7, 1, 6, 1e-4)
    assert arguments.limit == 5
    assert random.random() == random.Random(7).random()


def test_own_settings_win_over_the_shared_ones(arguments):
    found = runs.settings_of(arguments, dict, bf16=False, save_steps=250)
    assert (found["bf16"], found["save_steps"], found["use_cpu"]) == (False, 250, True)
    assert (found["seed"], found["learning_rate"], found["num_train_epochs"]) == (7, 1e-4, 1)


def test_a_run_without_checkpoints_begins_at_the_start(tmp_path):
    assert runs.newest_checkpoint(tmp_path) is None
    (tmp_path / "checkpoints").mkdir()
    assert runs.newest_checkpoint(tmp_path) is None


def test_the_newest_checkpoint_is_the_highest_number_not_the_last_word(tmp_path):
    for step in (900, 1000, 50):
        (tmp_path / "checkpoints" / f"checkpoint-{step}").mkdir(parents=True)
    assert runs.newest_checkpoint(tmp_path) == str(tmp_path / "checkpoints" / "checkpoint-1000")


def test_the_record_and_the_weights_lie_in_the_run(tmp_path):
    from safetensors.torch import load_file

    model = torch.nn.Linear(2, 1)
    runs.keep_weights(model, tmp_path)
    runs.keep_record({"log": []}, tmp_path)
    assert load_file(tmp_path / "model.safetensors")["bias"].shape == (1,)
    assert json.loads((tmp_path / "run.json").read_text()) == {"log": []}


class Counting(torch.nn.Module):
    """Each pair's logit is the number of its tokens that are read, tenths for those of the evidence."""

    def __init__(self):
        super().__init__()
        self.batches = []

    def forward(self, input_ids, attention_mask, token_type_ids, pooling, asked):
        self.batches.append(len(input_ids))
        return {"logits": (attention_mask.sum(1) + token_type_ids.sum(1) / 10).float()}


class Words:
    """A tokenizer with a token a word."""

    cls_token_id, sep_token_id = 1, 2

    def __call__(self, texts, **_):
        return {"input_ids": [[7] * len(text.split()) for text in texts]}


def test_the_likenesses_in_training_are_those_of_the_product():
    from rag.models.entailment import nearest_line, nearest_tokens
    from training.verifier import _nearest_line, _nearest_tokens, padded, rows_of
    from training.verifier_pairs import TrainingPair

    pairs = [
        TrainingPair("a b c", "one two\nthree", True, ""),
        TrainingPair("a", "one two three four five six", False, ""),
    ]
    rows = rows_of(pairs, Words())
    batch = padded(rows)
    hidden = torch.randn(*batch["input_ids"].shape, 4, generator=torch.Generator().manual_seed(1))
    for ours, theirs in ((nearest_line, _nearest_line), (nearest_tokens, _nearest_tokens)):
        found = theirs(hidden, batch["pooling"], batch["asked"])
        told = [ours(hidden[i].numpy(), window) for i, (window, _) in enumerate(rows)]
        assert found.tolist() == pytest.approx(told, abs=1e-6)
    assert batch["labels"].tolist() == [1.0, 0.0]


def test_of_long_evidence_the_window_with_most_of_the_claim_is_read():
    from training.verifier import rows_of
    from training.verifier_pairs import TrainingPair

    class Numbered:
        cls_token_id, sep_token_id = 1, 2

        def __call__(self, texts, **_):
            return {"input_ids": [[int(word) for word in text.split()] for text in texts]}

    evidence = "\n".join(["7 " * 250, "8 9 " * 100])
    ((window, label),) = rows_of([TrainingPair("8 9", evidence, True, "")], Numbered())
    assert set(window.ids) == {1, 2, 8, 9}
    assert label == 1.0


def test_some_evidence_stands_without_its_title():
    from training.verifier_pairs import UNTITLED, TrainingPair, without_titles

    pairs = [TrainingPair("claim", "Title\nSentence.", True, "")] * 200 + [
        TrainingPair("claim", "Title", True, "")
    ]
    found = [pair.evidence for pair in without_titles(pairs, random.Random(1))]
    assert set(found) == {"Title\nSentence.", "Sentence.", "Title"}
    assert found.count("Sentence.") / 200 == pytest.approx(UNTITLED, abs=0.1)


def alike(texts):
    """Every text as like every other."""
    return np.ones((len(texts), 1), dtype=np.float32)


def test_the_nearest_others_come_first():
    from training.verifier_pairs import neighbours

    angles = {"a": 0.0, "b": 0.3, "c": 1.0}
    rows = neighbours(
        list(angles), lambda texts: np.array([[np.cos(angles[t]), np.sin(angles[t])] for t in texts])
    )
    assert rows == [[1, 2], [0, 2], [1, 0]]


LABELLED = {"label": "SUPPORT", "level": "abstract"}


def _write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode())) if path.suffix == ".gz" else path.write_text(text)


def test_claims_of_scifact_stay_on_one_side_and_beside_what_does_not_bear_them_out(tmp_path):
    from training.verifier_pairs import scifact

    told = ["This sentence bears the claim out, and is long.", "This one has nothing to do with any of it."]
    _write(tmp_path / "scifact/corpus.jsonl.gz", [{"id": "p", "sentences": told}])
    claims = [f"Claim number {n}." for n in range(40)]
    evidence = [{"doc_id": "p", "label": "SUPPORT", "sentence_ids": [0]}]
    rows = [{"claim": c, "evidence": evidence, "cited_ids": ["p"]} for c in claims]
    _write(tmp_path / "scifact/claims_train.jsonl", rows)
    pairs = [{"pid": c, "claim": c, "evidence": " ".join(told), **LABELLED} for c in claims]
    _write(tmp_path / "scifact/verify_pairs_train.jsonl", pairs)
    train, held = scifact(tmp_path, random.Random(1), alike)
    assert {pair.claim for pair in train}.isdisjoint(pair.claim for pair in held)
    assert len(train) + len(held) == 80
    assert held
    beside = {pair.evidence for pair in train if not pair.supported}
    assert beside == {told[1]}
    assert {pair.evidence for pair in train if pair.supported} == {"\n".join(told)}


def test_a_claim_is_not_borne_out_by_the_rationale_of_another(tmp_path):
    from training.verifier_pairs import scifact

    _write(tmp_path / "scifact/corpus.jsonl.gz", [{"id": i, "sentences": [f"Of {i}."]} for i in "pq"])
    rows = [
        {
            "claim": f"On {i}.",
            "evidence": [{"doc_id": i, "label": "SUPPORT", "sentence_ids": [0]}],
            "cited_ids": [i],
        }
        for i in "pq"
    ]
    _write(tmp_path / "scifact/claims_train.jsonl", rows)
    given = {"pid": "1", "claim": "On p.", "evidence": "Of p.", **LABELLED}
    _write(tmp_path / "scifact/verify_pairs_train.jsonl", [given])
    found = {
        (pair.claim, pair.evidence, pair.supported)
        for side in scifact(tmp_path, random.Random(1), alike)
        for pair in side
    }
    assert found == {("On p.", "Of p.", True), ("On p.", "Of q.", False), ("On q.", "Of p.", False)}


def test_a_conclusion_stands_on_its_own_abstract_alone(tmp_path):
    from training.verifier_pairs import CONCLUSION_SENTENCES, pubmedqa

    first = " ".join(f"Sentence {n} is here." for n in range(7))
    abstracts = [
        {"id": "a", "title": "", "abstract": first},
        {"id": "b", "title": "", "abstract": "Other."},
    ]
    _write(tmp_path / "pubmedqa/corpus.jsonl.gz", abstracts)
    answer = "The drug is safe and improves the outcome of most patients. Short one."
    _write(tmp_path / "pubmedqa/questions_dev.jsonl", [{"gold_ids": ["a"], "long_answer": answer}])
    supported, *others = pubmedqa(tmp_path, random.Random(3), alike)
    assert supported.claim == answer.partition(" Short")[0]
    assert supported.evidence.count("\n") == CONCLUSION_SENTENCES - 1
    assert supported.supported
    assert [pair.supported for pair in others] == [False, False]
    assert others[0].claim != supported.claim == others[1].claim


def test_scores_are_in_the_order_of_the_pairs_though_read_in_batches_by_length():
    from training.verifier import BATCH, scores
    from training.verifier_pairs import TrainingPair

    counts = [(i * 7) % (BATCH + 5) + 1 for i in range(BATCH + 5)]
    pairs = [TrainingPair("a claim", "word " * count, True, "written") for count in counts]
    model = Counting()
    found = scores(model, Words(), pairs)
    # [CLS] a claim [SEP] words [SEP]: the last mark counts as evidence
    assert found.tolist() == pytest.approx([4 + (count + 1) * 1.1 for count in counts])
    assert model.batches == [BATCH, 5]
    assert model.training


def test_a_soup_is_the_mean_of_its_runs():
    from training.soup import mean_of

    runs_ = [{"w": torch.tensor([1.0, 2.0])}, {"w": torch.tensor([3.0, 6.0])}]
    assert mean_of(runs_)["w"].tolist() == [2.0, 4.0]
    with pytest.raises(ValueError, match="not of one model"):
        mean_of([{"w": torch.zeros(1)}, {"v": torch.zeros(1)}])


def _asked(name: str, question: str, *papers: str, evidence=((0, 0),)):
    from training.examples import Abstract, Example

    told = tuple(Abstract(paper, f"Title {paper}", ("One.", "Two.")) for paper in papers)
    return Example(name, "fact", question, told, tuple(evidence), "yes" if evidence else None, None)


def test_a_lesson_is_a_paper_with_all_the_questions_it_answers():
    from training.contextual_embedder import ContextQuestion, lessons_of

    found = lessons_of(
        [
            _asked("1", "What?", "a"),
            _asked("2", "Which two?", "b", "a", evidence=((0, 1), (1, 0), (1, 1))),
            _asked("3", "Nothing?", "c", evidence=()),
        ]
    )
    assert [lesson.paper.id for lesson in found] == ["a", "b"]
    assert found[0].asked == (
        ContextQuestion("What?", frozenset({0})),
        ContextQuestion("Which two?", frozenset({0, 1})),
    )
    assert found[1].asked == (ContextQuestion("Which two?", frozenset({1})),)


def test_a_batch_holds_papers_near_to_one_another_and_each_once():
    from training.contextual_embedder import TOGETHER, batches_of, lessons_of

    lessons = lessons_of([_asked(str(n), "What?", str(n)) for n in range(2 * TOGETHER)])
    groups = [list(range(TOGETHER)), list(range(TOGETHER, 2 * TOGETHER))]
    near = [groups[place // TOGETHER] for place in range(2 * TOGETHER)]
    batches = batches_of(lessons, near, TOGETHER)
    assert sorted(sorted(int(one.paper.id) for one in batch) for batch in batches) == groups
    assert [len(batch) for batch in batches_of(lessons, near, 3)] == [3, 3, 2]


class _Plain:
    """A paper's vectors are the axes its title names; a question's, the axis it names."""

    def papers(self, papers):
        whole = torch.stack([_axis(paper.title) for paper in papers])
        own = torch.stack([_axis(sentence) for paper in papers for sentence in paper.sentences])
        return whole, own, [(n, s) for n, paper in enumerate(papers) for s in range(len(paper.sentences))]

    def questions(self, texts):
        return torch.stack([_axis(text) for text in texts])


def _axis(text: str):
    return torch.eye(4)[int(text[-1])]


def test_the_loss_is_small_where_question_sentence_and_paper_agree():
    from training.contextual_embedder import ContextLesson, ContextQuestion, loss_of
    from training.examples import Abstract

    def lesson(title: str, question: str, *sentences: str) -> ContextLesson:
        return ContextLesson(Abstract(title, title, sentences), (ContextQuestion(question, frozenset({0})),))

    right = [lesson("t0", "q0", "s0", "s1"), lesson("t2", "q2", "s2", "s3")]
    wrong = [lesson("t0", "q1", "s0", "s1"), lesson("t2", "q3", "s2", "s3")]
    # temperature .05: ln(1 + 3 e^-20) for the sentence, ln(1 + e^-20) for the paper; where another sentence
    # of the right paper is the near one, 20 and ln(1 + e^-10)
    assert float(loss_of(_Plain(), right)) == pytest.approx(0.0, abs=1e-6)
    assert float(loss_of(_Plain(), wrong)) == pytest.approx(20.0, abs=1e-3)


def test_written_questions_come_in_the_order_of_their_files_and_no_held_out_paper_trains(
    tmp_path, nothing_added
):
    from written_files import paper, single, write

    from eval.written.questions import is_validation
    from training.embedder import pairs
    from training.examples import examples, split

    later = next(f"later {n}" for n in range(99) if is_validation(f"later {n}"))
    natural = [paper("other"), paper(later)]
    write(tmp_path, natural_papers=natural, natural=[single("o", "other"), single("v", later)])
    papers = [{"id": f"p{n}", "title": f"T{n}", "sentences": ["One.", "Two."]} for n in range(5)]
    _write(tmp_path / "abstract_qa_papers.jsonl.gz", papers)
    row = {"type": "fact", "answer": "Yes.", "wrong_answer": None}
    own = [row | {"id": f"q{n}", "question": f"Q{n}?", "doc": f"p{n}", "evidence": [1]} for n in range(5)]
    own[1] |= {"answer": None}
    _write(tmp_path / "abstract_qa.jsonl.gz", own)
    figure = row | {"id": "n", "question": "N?", "paper": papers[2], "evidence": [0, 1]}
    _write(tmp_path / "abstract_qa_numeric.jsonl.gz", [figure])
    group = row | {"id": "g", "question": "It?", "standalone": "G?", "papers": papers[2:4]}
    group |= {"evidence": [[0, 1], [1, 0]], "answer_sentences": [{"text": "Yes.", "evidence": [[0, 1]]}]}
    _write(tmp_path / "abstract_qa_groups.jsonl.gz", [group])

    assert [one.id for one in examples(tmp_path)] == ["q0", "q1", "q2", "q3", "q4", "n", "g"]
    train, held = split(tmp_path)
    assert [one.id for one in held] == ["q4", "v"]
    assert [one.evidence for one in train] == [
        ((0, 1),),
        (),
        ((0, 1),),
        ((0, 1),),
        ((0, 0), (0, 1)),
        ((0, 1), (1, 0)),
        ((0, 1),),
    ]
    assert pairs(tmp_path) == [
        ("Q0?", "T0. Two.", "p0"),
        ("Q2?", "T2. Two.", "p2"),
        ("N?", "T2. One. Two.", "p2"),
        ("G?", "T2. Two.", "p2"),
    ]


def test_the_picture_of_a_run_is_one_svg_with_its_own_style():
    from training.curves import picture

    drawn = picture([{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0, "eval_loss": 1.5}], "a <run>")
    assert drawn.startswith('<svg xmlns="http://www.w3.org/2000/svg" ')
    assert drawn.endswith("</svg>")
    assert "><style>svg{" in drawn
    assert "a &#60;run&#62;" in drawn
