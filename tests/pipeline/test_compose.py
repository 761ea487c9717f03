from __future__ import annotations

from rag.pipeline.compose import (
    as_sentences,
    best_beside,
    citations_for,
    closest_titles,
    quotes_of,
    renumbered,
    rests,
    text_of,
)
from rag.types import Evidence, Paper, Passage, Sentence

ONE = Paper("1", "First", "Alpha is 5. Beta is 6. Gamma rises.", year=2024, url="https://x.org")
TWO = Paper("2", "Second", "Delta falls.")
ALPHA, BETA, GAMMA = (Evidence(1, ONE, a, b, s) for a, b, s in ((0, 11, 0.9), (12, 22, 0.5), (23, 35, 0.2)))
DELTA = Evidence(2, TWO, 0, 12, 0.8)
ALL = [GAMMA, DELTA, ALPHA, BETA]


def test_quotes_are_the_best_and_those_nearly_as_likely():
    assert quotes_of(ALL, "fact", relative_min=0.5, sentences_max=9) == [ALPHA, DELTA, BETA]
    assert quotes_of(ALL, "fact", relative_min=0.8, sentences_max=9) == [ALPHA, DELTA]
    assert quotes_of(ALL, "fact", relative_min=0.0, sentences_max=1) == [ALPHA]


def test_quotes_for_find_keep_to_the_best_paper():
    assert quotes_of(ALL, "find", relative_min=0.5, sentences_max=9) == [ALPHA, BETA]


def test_quotes_for_several_papers_are_the_best_of_each():
    assert quotes_of(ALL, "compare", relative_min=1.0, sentences_max=1) == [ALPHA, DELTA]


def test_equal_scores_by_key_and_place():
    same = [Evidence(2, TWO, 0, 12, 0.5), Evidence(1, ONE, 12, 22, 0.5), Evidence(1, ONE, 0, 11, 0.5)]
    assert [e.text for e in quotes_of(same, "fact", relative_min=0.0, sentences_max=3)] == [
        "Alpha is 5.",
        "Beta is 6.",
        "Delta falls.",
    ]


def test_quotes_as_sentences():
    assert as_sentences([DELTA]) == [Sentence("Delta falls.", (2,), 1.0)]


def test_citations_hold_what_carries_each_sentence_in_text_order():
    said = [Sentence("Beta is 6.", (1,), 0.9), Sentence("Alpha is 5.", (1,), 0.9)]
    [citation] = citations_for(said, ALL)
    assert [(q.text, q.start, q.end) for q in citation.quotes] == [
        ("Alpha is 5.", 0, 11),
        ("Beta is 6.", 12, 22),
    ]
    assert (citation.key, citation.paper_id, citation.title) == (1, "1", "First")
    assert (citation.url, citation.year) == ("https://x.org", 2024)


def test_a_sentence_quoted_twice_is_cited_once():
    said = [Sentence("Beta is 6.", (1,), 1.0), Sentence("It is Beta, 6.", (1,), 1.0)]
    assert len(citations_for(said, ALL)[0].quotes) == 1
    assert citations_for([], ALL) == ()


def test_keys_are_renumbered_by_first_use_and_the_rest_left_out():
    said, evidence = renumbered([Sentence("Delta falls.", (2,), 0.7)], ALL)
    assert said == [Sentence("Delta falls.", (1,), 0.7)]
    assert evidence == [Evidence(1, TWO, 0, 12, 0.8)]
    swapped, moved = renumbered([Sentence("d", (2,), 1.0), Sentence("a", (1, 2), 1.0)], ALL)
    assert [s.citations for s in swapped] == [(1,), (2, 1)]
    assert {(e.key, e.paper.paper_id) for e in moved} == {(1, "2"), (2, "1")}


def test_the_text_of_an_answer():
    said = [Sentence("Alpha is 5.", (1,), 1.0), Sentence("Delta falls.", (2,), 1.0)]
    assert text_of(said, ALL, titled=False, quoted=False) == "Alpha is 5 [1]. Delta falls [2]."
    assert (
        text_of(said, ALL, titled=True, quoted=False)
        == "- First: Alpha is 5 [1].\n- Second: Delta falls [2]."
    )
    assert text_of(said[:1], ALL, titled=True, quoted=True) == "First: “Alpha is 5.” [1]"
    assert text_of([], ALL, titled=True, quoted=False) == ""


def test_what_rests_on_several_papers_stands_first() -> None:
    said = [
        Sentence("Alpha rises, Delta falls.", (1, 2), 1.0),
        Sentence("Alpha is 5.", (1,), 1.0),
        Sentence("Delta falls.", (2,), 1.0),
        Sentence("Beta is 6.", (1,), 1.0),
    ]
    assert text_of(said, ALL, titled=True, quoted=False) == (
        "Alpha rises, Delta falls [1][2].\n"
        "- First: Alpha is 5 [1]. Beta is 6 [1].\n- Second: Delta falls [2]."
    )
    assert text_of(said[:2], ALL, titled=True, quoted=True) == (
        "Alpha rises, Delta falls [1][2].\nFirst: “Alpha is 5.” [1]"
    )


def test_a_sentence_on_two_papers_is_cited_from_both() -> None:
    first, second = citations_for([Sentence("Beta is 6, Delta falls.", (1, 2), 0.9)], ALL)
    assert [q.text for q in first.quotes] == ["Beta is 6."]
    assert [q.text for q in second.quotes] == ["Delta falls."]


def test_closest_titles_are_few_and_clean():
    passages = [Passage(Paper(str(i), f"Title \\textit{{{i}}}", ""), i, 0.1) for i in range(9)]
    titles = closest_titles(passages)
    assert 0 < len(titles) < 9
    assert titles[0] == "Title 0"


def best_of(told: str, *scores: float) -> str | None:
    """What is shown beside an answer, of a paper with two sentences of these scores."""
    paper = Paper("p", "Mixers", "Mixers reach high speed. They need little memory.")
    evidence = [Evidence(1, paper, 0, 24, scores[0]), Evidence(1, paper, 25, 49, scores[1])]
    found = best_beside([Sentence(told, (1,), 0.9)], evidence)
    return None if found is None else found.text


def test_the_most_telling_sentence_stands_beside_an_answer_that_rests_on_another() -> None:
    assert best_of("Memory needed is little.", 0.9, 0.4) == "Mixers reach high speed."  # .4 < .5 * .9
    assert best_of("Memory needed is little.", 0.9, 0.45) is None
    assert best_of("The speed reached is high.", 0.9, 0.4) is None


def rests_of(told: str, *scores: float) -> float:
    """The same paper: by how much an answer rests on what is most telling."""
    paper = Paper("p", "Mixers", "Mixers reach high speed. They need little memory.")
    evidence = [Evidence(1, paper, 0, 24, scores[0]), Evidence(1, paper, 25, 49, scores[1])]
    return rests([Sentence(told, (1,), 0.9)], evidence)


def test_an_answer_rests_on_the_most_telling_sentence_or_on_a_less_telling_one() -> None:
    assert rests_of("Memory needed is little.", 0.8, 0.2) == 0.25
    assert rests_of("Memory needed is little.", 0.2, 0.8) == 1.0
    assert rests_of("The speed reached is high.", 0.8, 0.2) == 1.0


def test_an_answer_does_not_become_long_by_it() -> None:
    """4 words, three a repeat, 1 word; and the 4 of the best sentence."""
    assert best_of("Memory needed is little " + "and so on " * 23 + "here.", 0.9, 0.4) is not None  # 78
    assert best_of("Memory needed is little " + "and so on " * 24 + "here.", 0.9, 0.4) is None  # 81


def test_an_address_is_quoted_only_where_there_is_nothing_else() -> None:
    paper = Paper("p", "Mixers", "Code: https://example.org/mixers. Mixers reach high speed.")
    address, speed = Evidence(1, paper, 0, 33, 0.9), Evidence(1, paper, 34, 58, 0.5)
    assert quotes_of([address, speed], "fact", relative_min=0.3, sentences_max=2) == [speed]
    assert quotes_of([address], "fact", relative_min=0.3, sentences_max=2) == [address]
