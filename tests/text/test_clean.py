"""What a person sees of stored text: every blemish of the corpus, and nothing else, is mended."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rag
from rag.readers import merge_duplicates, read_papers
from rag.text.clean import Cleaned, clean, clean_with_offsets
from rag.text.latex_rules import RULES

CORPUS = Path(rag.__file__).parent / "data" / "corpus"

# Spots of the corpus as they stand there, and what their authors meant.
CORPUS_SPOTS = [
    ("achieves up to 9.1times higher", "achieves up to 9.1x higher"),
    ("and over 5times training/inference", "and over 5x training/inference"),
    ("speeds up pre-training by sim3x.", "speeds up pre-training by ~3x."),
    ("(sim0.01% of model parameters)", "(~0.01% of model parameters)"),
    ("GSM8K (5.9%rightarrow10.9%) and", "GSM8K (5.9% → 10.9%) and"),
    ("(EnglishrightarrowGerman) at", "(English → German) at"),
    ("from scratchx2013even for", "from scratch–even for"),
    (r"up to 5\% improvement", "up to 5% improvement"),
    (r"apparently na\"{\i}ve ensembling", "apparently naïve ensembling"),
    (r"O(d ell) na\"ively to O(d + ell).", "O(d ℓ) naïvely to O(d + ℓ)."),
    ("inspired by ``reverse thinking'' -- prompting", 'inspired by "reverse thinking" -- prompting'),
    ("(or \"unlearn'') a skill", '(or "unlearn") a skill'),
    ("a mild ''informative'' condition", 'a mild "informative" condition'),
    ("new task and `old' tasks", "new task and 'old' tasks"),
    (r"(Polyak-\L ojasiewicz) condition", "(Polyak-Łojasiewicz) condition"),
    ("question by {bf x}. The", "question by x. The"),
    ("available~https://a.org/r", "available https://a.org/r"),
    ("https://a.org/README.md{here.}", "https://a.org/README.md."),
    ("requires mathcal{O}(1/epsilon^4) iterations", "requires O(1/ε^4) iterations"),
    ("mathcal{O}(mathcal{C_{Phi circ Psi}/n}) achieved", "O(C_(Φ ∘ Ψ)/n) achieved"),
    ("when m gg n and C_{Phicirc Psi} > C_Psi.", "when m ≫ n and C_(Φ ∘ Ψ) > C_Ψ."),
    ("to mathcal O(sqrt K) in", "to O(√K) in"),
    ("mathcal O(K^{2/3}) (omitting", "O(K^(2/3)) (omitting"),
    ("a model {p}_{theta}(Y|X) knows", "a model p_θ(Y|X) knows"),
    ("show a {O}(log T) regret", "show a O(log T) regret"),
    (
        "(s): $L(s) = L_0 + Acdot S_1^{-alpha} - Ccdot S_2 Where S_1 is forward area and S_2$ is",
        "(s): L(s) = L_0 + A·S_1^(-α) - C·S_2 Where S_1 is forward area and S_2 is",
    ),
    ("N_E sum_{i=1}^{N_E} f_i p_i, where", "N_E Σ_(i=1)^(N_E) f_i p_i, where"),
    ("SequenceMatch-chi^2 divergence", "SequenceMatch-χ^2 divergence"),
    ("O(mathsf{Var^star M Gamma S A K})", "O(Var^* M Gamma S A K)"),
    ("Gamma le S is", "Gamma ≤ S is"),
    ("a sequence u mapsto y by", "a sequence u ↦ y by"),
    ("new paradigm: bullet Guiding", "new paradigm: • Guiding"),
]
LATEX = [
    (r"accuracy of $98.1\%$ and", "accuracy of 98.1% and"),
    (r"a 2.5$\times$ speed-up, 3 $\times$ less", "a 2.5x speed-up, 3x less"),
    (r"$224 \times 224$ and $3\times3$", "224 x 224 and 3x3"),
    (r"$\mathbb{R}^{n\times m}$", "R^(n x m)"),
    (r"$\sim$3\% and $\sim 5$", "~3% and ~5"),
    (r"English$\rightarrow$German, En\rightarrowDe", "English→German, En → De"),
    (r"\textit{very} \emph{good} {\bf bold} {\em x}", "very good bold x"),
    (r"\textbf{C}lustering with \textbf{\textit{BERT}}", "Clustering with BERT"),
    (r"$N$ items, $k$-means, 4$k$", "N items, k-means, 4k"),
    (r"models ($\leq$10B) and $\pm$1", "models (≤10B) and ±1"),
    (r"$\mathcal{O}(\sqrt{n} \log n)$", "O(√n log n)"),
    (r"$10^{-3}$ and $x_{ij}$ and $7^{th}$", "10^-3 and x_ij and 7th"),
    (r"$\frac{1}{2}$ of $\frac{a+b}{c}$", "1/2 of (a+b)/(c)"),
    (r"Poincar\'e, Erd\H{o}s, Milani\v{c}, {\'E}cole", "Poincaré, Erdős, Milanič, École"),
    (r"water$\unicode{x2013}$provides", "water–provides"),
    (r"360{\deg} and 1.5^\circ", "360° and 1.5°"),
    (r"code at \url{https://a.org/x_y}.", "code at https://a.org/x_y."),
    (r"at \href{https://a.org}{https://a.org}.", "at https://a.org."),
    (r"at \href{https://a.org}{this https URL}", "at https://a.org"),
    (r"at \href{https://a.org/b}{GitHub}", "at https://a.org/b (GitHub)"),
    (r"as shown~\cite{smith2020,x} before", "as shown before"),
    (r"it isn\'t \"so\" here", 'it isn\'t "so" here'),
    (r"between \$5 and \$6 a day", "between $5 and $6 a day"),
    ("2018--2020 and so---really---on", "2018–2020 and so—really—on"),
    ("Fig.~3 at 50~ms", "Fig. 3 at 50 ms"),
    ("wrapped\n  by hand", "wrapped by hand"),
    ("AT&amp;T, x &lt; y, 10<sup>9</sup>, <i>E. coli</i>", "AT&T, x < y, 10^9, E. coli"),
]
UNTOUCHED = [
    "sometimes 4 times 5 timesteps, at times",
    "similar, simple and simulated; sim2real and sim2sim and SimCSE",
    "C++ and C#, f(x) = 3, a < b, a -> b, g(f(X)) ~= X",
    "see https://a.org/~user/a_{b}--c?x=1&y=z for more",
    "the field my_var_name and file_{id}.json",
    'JSON such as {"a": 1, "b": {"c": [1, 2]}} stays',
    "the answer to the above question is {A}, what is x?",
    "costs $5 per call, and $10 for two (0.01$)",
    "US$ 4 and A$ 7, $48-$74 per person",
    "the empty string x='' and f''(x)",
    "2~4% and x~p(x) and data~N(0,1)",
    "Phoenix2014-T, 2048x2048 pixels, Netflix2013",
    "alpha version, beta test, Gamma rays, epsilon greedy, ell",
    "narrow arrows, mathematics, the summary, circular, startup",
    "```code``` and `foo` and `bar` isn't",
    "a dash -- like this -- is no LaTeX; git checkout -- file",
    "use --flag or <think> and <a, b>",
    "suppressing \\n\\n after \\METHOD and \\name",
    "the intersection of sets (cup) and a cap",
]


@pytest.mark.parametrize(("stored", "shown"), CORPUS_SPOTS + LATEX)
def test_a_blemish_becomes_what_its_author_meant(stored: str, shown: str) -> None:
    assert clean(stored) == shown


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_only_looks_like_a_blemish_stays(text: str) -> None:
    assert clean(text) == text


def test_every_corpus_spot_stands_in_the_corpus() -> None:
    """The table above is about real text: a spot's first ten characters can be found there."""
    pages = "".join(page.read_text() for page in sorted(CORPUS.glob("0*.txt")))
    invented = {"available~https://a.org/r", "https://a.org/README.md{here.}"}
    for stored, _ in CORPUS_SPOTS:
        assert stored in invented or stored in pages, stored


def test_no_blemish_is_left_in_the_corpus() -> None:
    papers = merge_duplicates(read_papers(CORPUS, []))
    blemish = re.compile(r"\\|``|''|\dtimes|\bsim\d|rightarrow|math(cal|sf)|x2013|\$|[_^]\{|~http")
    left = [found[0] for paper in papers for found in blemish.finditer(clean(paper.abstract))]
    assert left == []
    changed = sum(clean(paper.abstract) != paper.abstract for paper in papers)
    assert 35 <= changed <= 45


def test_titles_of_the_corpus_stay_as_they_are() -> None:
    titles = [paper.title for paper in read_papers(CORPUS, [])]
    assert [clean(title) for title in titles] == titles


def test_spans_move_between_shown_and_stored() -> None:
    stored = r"gains of 5\% by {bf x} and 9.1times more"
    cleaned = clean_with_offsets(stored)
    assert cleaned.text == "gains of 5% by x and 9.1x more"
    start = cleaned.text.index("9.1x")
    first, last = cleaned.to_source(start, start + 4)
    assert stored[first:last] == "9.1times"
    assert cleaned.from_source(first, last) == (start, start + 4)
    assert cleaned.to_source(0, len(cleaned.text)) == (0, len(stored))


def test_kept_characters_keep_their_offsets() -> None:
    stored = r"the \textbf{\emph{word}} stays"
    cleaned = clean_with_offsets(stored)
    start = cleaned.text.index("word")
    assert cleaned.offsets[start : start + 4] == tuple(range(stored.index("word"), stored.index("word") + 4))


def test_empty_text() -> None:
    assert clean_with_offsets("") == Cleaned("", (), 0)


def test_hostile_text_ends_soon() -> None:
    for text in ("\\textbf{" * 3_000, "``" * 5_000, "$" * 9_999, "{" * 20_000, " " * 50_000 + "~"):
        clean(text)


PIECES = [
    *[stored for stored, _ in CORPUS_SPOTS + LATEX],
    *(r"\\ \{ \} { } $ $$ _ ^ _{ ^{ ` `` '' ' ~ -- --- \( \) \[ \] & ; < > \n" + " \\").split(" "),
    *r"\alpha \times \sim \to \rightarrow \frac{ \sqrt{ \textbf{ \em \bf \href{ \cite{ \i".split(),
    *"x20 x2013 times sim 3 10% rightarrow arrow mathcal{ O ( ) cdot circ Phi alpha le a b".split(),
    *"sum sqrt ell star http https://a.org &amp; &lt;i> <sup> </sup> <i> </i> {here.} , .".split(),
]
latex_like = st.lists(st.one_of(st.sampled_from(PIECES), st.sampled_from(" \n")), max_size=14).map("".join)
words = st.from_regex(r"[A-Za-z][a-z]{0,11}", fullmatch=True).filter(
    lambda word: not re.search(r"x20|times$|arrow|^(le|ge|ll|gg|ell|sum|sqrt|math\w*|bullet)$", word)
)
numbers = st.integers(0, 9999).map(str)
prose = st.lists(
    st.one_of(words, words, numbers).flatmap(
        lambda word: st.sampled_from(["", "", "", ",", ".", ";", "?", "%"]).map(word.__add__)
    ),
    max_size=30,
).map(" ".join)


@given(prose)
def test_ordinary_prose_stays(text: str) -> None:
    assert clean(text) == text


@settings(max_examples=400, deadline=None)
@given(st.one_of(latex_like, st.text(max_size=60), st.text(alphabet="\\{}$_^`'~-&;x ab1", max_size=40)))
def test_offsets_are_in_range_and_in_order_and_cleaning_twice_changes_nothing(text: str) -> None:
    cleaned = clean_with_offsets(text)
    offsets = list(cleaned.offsets)
    assert len(offsets) == len(cleaned.text)
    assert offsets == sorted(offsets)
    assert all(0 <= offset < len(text) for offset in offsets)
    assert clean(cleaned.text) == cleaned.text


@settings(max_examples=300, deadline=None)
@given(latex_like)
def test_what_a_rule_needs_stands_in_every_text_it_matches(text: str) -> None:
    for rule in RULES:
        assert rule.needs in text or not rule.pattern.search(text), rule.pattern.pattern
