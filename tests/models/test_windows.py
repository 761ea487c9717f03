"""What a cross-encoder reads, on token numbers written by hand: 101 is [CLS], 102 is [SEP]."""

from __future__ import annotations

from rag.models.windows import QUESTION_TOKENS_MAX, windows_of

SPECIAL = (101, 102)


def test_a_short_paper_is_one_window() -> None:
    (window,) = windows_of([1, 2], [3], [[4, 5], [6]], special=SPECIAL)
    assert window.ids == (101, 1, 2, 102, 3, 102, 4, 5, 6, 102)
    assert window.segments == [0, 0, 0, 0, 1, 1, 1, 1, 1, 1]
    assert window.spans == ((6, 8), (8, 9))


def test_sentences_that_do_not_fit_begin_a_new_window_with_question_and_title() -> None:
    first, second = windows_of([1], [2], [[3, 4], [5, 6], [7]], special=SPECIAL, tokens_max=9)
    assert first.ids == (101, 1, 102, 2, 102, 3, 4, 102)
    assert second.ids == (101, 1, 102, 2, 102, 5, 6, 7, 102)
    assert (first.spans, second.spans) == (((5, 7),), ((5, 7), (7, 8)))


def test_a_sentence_longer_than_a_window_is_cut_at_its_end() -> None:
    (window,) = windows_of([1], [2], [[3] * 50], special=SPECIAL, tokens_max=10)
    assert window.ids == (101, 1, 102, 2, 102, 3, 3, 3, 3, 102)
    assert window.spans == ((5, 9),)


def test_a_paper_without_sentences_is_read_by_its_title() -> None:
    (window,) = windows_of([1], [2], [], special=SPECIAL)
    assert (window.ids, window.spans) == ((101, 1, 102, 2, 102, 102), ())


def test_an_endless_question_leaves_room_for_the_paper() -> None:
    (window,) = windows_of([1] * 1000, [2], [[3]], special=SPECIAL)
    assert window.question_tokens == QUESTION_TOKENS_MAX + 2


def test_without_a_title_the_lines_follow_the_claim() -> None:
    (window,) = windows_of([1], [], [[3], [4, 5]], special=SPECIAL)
    assert window.ids == (101, 1, 102, 3, 4, 5, 102)
    assert window.spans == ((3, 4), (4, 6))
    assert window.question_tokens == 3
