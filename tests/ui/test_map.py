"""The map: groups, places, names and the drawing. Numbers by hand where there are any."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from chat_assistant import HOSTILE, PAPERS, POISONED, FakeIndex
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.text.clean import clean
from rag.types import Paper
from rag.ui.html.map import HEIGHT, WIDTH, labels, map_svg
from rag.ui.state.map_layout import (
    CollectionMap,
    abstract_vectors,
    cluster,
    groups_for,
    lay_out,
    project,
    spread_apart,
)
from rag.ui.state.topics import topic_names


def clouds(*sizes: int, seed: int = 3) -> np.ndarray:
    """Unit vectors around as many axes."""
    rng = np.random.default_rng(seed)
    rows = [
        np.eye(16)[axis] + rng.normal(0, 0.05, 16) for axis, size in enumerate(sizes) for _ in range(size)
    ]
    found = np.asarray(rows, dtype=np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.mark.parametrize(("papers", "groups"), [(0, 1), (1, 1), (12, 2), (159, 7), (10_000, 8)])
def test_more_papers_more_groups(papers, groups):
    assert groups_for(papers) == groups


def test_clouds_are_groups_the_largest_first():
    labels_found = cluster(clouds(5, 20, 10), 3)
    assert labels_found.tolist() == [2] * 5 + [0] * 20 + [1] * 10


def test_the_same_vectors_give_the_same_groups_and_places():
    vectors = clouds(7, 9, 4)
    first, second = cluster(vectors, 4, seed=1), cluster(vectors.copy(), 4, seed=1)
    assert first.tolist() == second.tolist()
    assert np.array_equal(project(vectors, first), project(vectors, second))


def test_groups_lie_apart_on_the_plane():
    vectors = clouds(10, 10, 10)
    groups = cluster(vectors, 3)
    places = project(vectors, groups)
    middles = np.stack([places[groups == group].mean(axis=0) for group in range(3)])
    spread = max(places[groups == group].std(axis=0).max() for group in range(3))
    between = min(np.linalg.norm(middles[i] - middles[j]) for i, j in [(0, 1), (0, 2), (1, 2)])
    assert between > 4 * spread


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 12), st.integers(1, 8))
def test_any_number_of_papers_has_its_place(count, groups):
    vectors = clouds(count) if count else np.zeros((0, 16), dtype=np.float32)
    found = cluster(vectors, groups)
    places = project(vectors, found)
    assert places.shape == (count, 2)
    assert np.isfinite(places).all()
    assert ((places >= 0) & (places <= 1)).all()


def test_dots_part_until_each_can_be_pointed_at():
    places = np.array([[0.5, 0.5], [0.5, 0.5], [0.505, 0.5], [0.9, 0.9]])
    moved = spread_apart(places, 0.02)
    away = np.linalg.norm(moved[:, None] - moved[None], axis=2) + np.eye(4)
    assert away.min() > 0.019
    assert moved[3] == pytest.approx([0.9, 0.9], abs=1e-3)
    assert np.array_equal(moved, spread_apart(places, 0.02))


def test_equal_vectors_are_one_group_in_the_middle():
    vectors = np.tile(np.eye(4, dtype=np.float32)[0], (5, 1))
    assert cluster(vectors, 3).tolist() == [0] * 5
    assert project(vectors, cluster(vectors, 3)).tolist() == [[0.5, 0.5]] * 5


def test_one_paper_stands_in_the_middle_and_two_at_the_ends_of_a_line():
    one, two = np.eye(3, dtype=np.float32)[:1], np.eye(3, dtype=np.float32)[:2]
    assert project(one, cluster(one, 1)).tolist() == [[0.5, 0.5]]
    assert sorted(project(two, cluster(two, 1)).tolist()) == [[0.0, 0.5], [1.0, 0.5]]


def test_never_more_groups_than_different_vectors():
    vectors = np.repeat(np.eye(3, dtype=np.float32), [1, 3, 2], axis=0)
    assert cluster(vectors, 8).tolist() == [2, 0, 0, 0, 1, 1]


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_tiny_collection_has_its_map(count):
    found = lay_out(FakeIndex(PAPERS[:count]))
    assert (len(found.papers), found.total) == (count, count)
    assert np.isfinite(found.places).all()
    assert found.groups == (0,) * count


def test_a_map_of_many_is_the_same_each_time():
    vectors = clouds(300, 200, 150, 150)
    first = cluster(vectors, 6)
    assert all(cluster(vectors, 6).tolist() == first.tolist() for _ in range(3))
    assert (np.diff(np.bincount(first)) <= 0).all()


def test_the_plane_is_that_of_the_two_directions_in_which_the_groups_lie_apart():
    """Four groups at the corners of a rectangle in the first two axes; the others hold little noise."""
    rng = np.random.default_rng(0)
    corners = np.array([[0, 0], [0, 2], [4, 0], [4, 2]], dtype=np.float32)
    vectors = np.concatenate([np.repeat(corners, 10, axis=0), rng.normal(0, 0.01, (40, 5))], axis=1)
    labels = np.repeat(np.arange(4), 10)
    places = project(vectors.astype(np.float32), labels)
    hearts = np.stack([places[labels == group].mean(axis=0) for group in range(4)])
    assert np.abs(hearts[2:, 0] - hearts[:2, 0]) == pytest.approx([1, 1], abs=0.02)
    assert np.abs(hearts[1::2, 1] - hearts[::2, 1]) == pytest.approx([1, 1], abs=0.02)


def test_scikit_learn_is_loaded_when_a_map_is_drawn_and_not_before():
    code = "import sys, rag.ui.app_state, rag.ui.html.map; print('sklearn' in sys.modules)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert child.stdout.strip() == "False"


def test_groups_are_named_by_what_sets_them_apart():
    papers = [
        Paper(f"a{i}", "Reward learning", "We study human feedback for reward learning.") for i in range(4)
    ]
    papers += [Paper(f"b{i}", "State space", "State space layers model long sequences.") for i in range(4)]
    first, second = topic_names(papers, [0] * 4 + [1] * 4)
    assert "reward" in first
    assert "human feedback" in first
    assert "state space" in second
    assert topic_names([], []) == []


def test_groups_of_the_same_words_are_numbered():
    papers = [Paper(f"a{i}", "Same", "The same words.") for i in range(4)]
    assert topic_names(papers, [0, 0, 1, 1]) == ["group 1", "group 2"]


class Store:
    def ids(self) -> list[str]:
        return ["p#a0", "p#s0", "p#a9", "q#t0"]

    def vectors(self, ids):
        assert list(ids) == ["p#a0", "p#a9"]
        return np.array([[1, 0], [0, 1]], dtype=np.float32)


def test_a_paper_stands_at_the_mean_of_its_abstract():
    found = abstract_vectors(Store(), ["p", "q"])
    assert list(found) == ["p"]
    assert found["p"] == pytest.approx([0.5**0.5, 0.5**0.5])


def test_a_large_collection_is_drawn_from_a_sample():
    index = FakeIndex([Paper(f"p{i:03}", f"T{i}", "a") for i in range(50)])
    collection_map = lay_out(index, drawn_max=20)
    assert (len(collection_map.papers), collection_map.total) == (20, 50)
    assert "20 of 50 papers" in map_svg(collection_map).replace("&#46;", ".")
    assert lay_out(index, drawn_max=20).papers == collection_map.papers


def test_an_empty_collection_has_a_map_too():
    assert "no paper to draw" in map_svg(lay_out(FakeIndex([])))


class Drawn(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(str(page))

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_hostile_titles_are_text_on_the_map():
    collection_map = lay_out(FakeIndex([*PAPERS, POISONED]))
    page = map_svg(collection_map, lit={"p1"})
    drawn = Drawn(page).found
    assert {tag for tag, _ in drawn} == {"div", "svg", "circle", "text", "span"}
    assert not any(name.startswith("on") for _, attributes in drawn for name in attributes)
    titles = [a["aria-label"] for tag, a in drawn if tag == "circle"]
    assert clean(HOSTILE) in titles
    assert "<script>window.hurt=1</script>" in clean(HOSTILE)
    assert page.count("cw-faint") == 3
    assert "\n" not in page


def test_names_do_not_lie_on_each_other():
    places = np.full((4, 2), 0.5)
    papers = tuple(Paper(str(i), "t", "a") for i in range(4))
    collection_map = CollectionMap(papers, (0, 1, 2, 3), places, ("one name", "another", "a third", "x"), 4)
    heights = sorted(label.y for label in labels(collection_map))
    assert all(later - earlier >= 20 for earlier, later in itertools.pairwise(heights))
    for x, y in re.findall(r'c[xy]="([\d.]+)" cy="([\d.]+)"', map_svg(collection_map)):
        assert 0 <= float(x) <= WIDTH
        assert 0 <= float(y) <= HEIGHT
