"""`citewise eval`: ask, measure, print, and leave results and a report in a folder.

Importing this loads no model; `citewise --help` does so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli import terminal
from rag.cli.plugins import reported
from rag.errors import SettingsError

if TYPE_CHECKING:
    from eval.ask.ablations import SystemSource
    from eval.measure.results import RunResults
    from eval.public.run import PublicRun
    from eval.questions.questions import Gold
    from rag.ports import BatchAnswers, Progress
    from rag.settings import Settings

    Start = Callable[[Progress], SystemSource]

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def opening(settings: Settings, papers: str | None, collection: str, progress: Progress) -> SystemSource:
    """What every system of a run is opened from."""
    from eval.ask.ablations import SystemSource
    from rag.ingest import open_embedder

    return SystemSource(settings, open_embedder(settings), papers, collection, progress)


def open_system(name: str, source: SystemSource) -> BatchAnswers:
    """The assistant, whole or with something taken away; tests put a fake here."""
    from eval.ask.ablations import ABLATIONS

    return ABLATIONS[name].open(source)


@app.command(name="eval")
@reported
def measure(  # noqa: PLR0913
    *,
    questions: Annotated[
        list[Path] | None, typer.Option(help="A .jsonl of questions; default: those that ship.")
    ] = None,
    split: Annotated[str, typer.Option(help="dev, test or all.")] = "dev",
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many, spread evenly.")] = None,
    sets: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting.")] = None,
    quotes_only: Annotated[bool, typer.Option("--quotes-only", help="Without the generator.")] = False,
    ablate: Annotated[
        list[str] | None, typer.Option(help="Also with this taken away, or all: see eval/ask/ablations.py.")
    ] = None,
    papers: Annotated[str | None, typer.Option(help="A file or folder of papers.")] = None,
    collection: Annotated[str, typer.Option(help="The collection of papers.")] = "default",
    output: Annotated[
        Path, typer.Option("-o", "--output", "--out", help="The folder for answers, results, report.")
    ] = Path("citewise-eval"),
    compare: Annotated[
        list[Path] | None, typer.Option(help="The folder or results.json of another run, shown beside.")
    ] = None,
    public: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Measure the public sets in this folder instead.")
    ] = None,
    public_set: Annotated[list[str] | None, typer.Option(help="Only this public set.")] = None,
    thumbs: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Measure thumbs from the chat instead.")
    ] = None,
    ask_again: Annotated[bool, typer.Option("--ask-again", help="Ask again what got thumbs down.")] = False,
) -> None:
    """Measure answers to questions whose answers are known; completes a run that was stopped."""
    settings = _settings(sets or (), quotes_only=quotes_only)
    start = partial(opening, settings, papers, collection)
    if public and thumbs:
        raise typer.BadParameter("give --public or --thumbs, not both")
    if public:
        from eval.modes import known_sets, today
        from eval.public.run import PublicRun

        wanted_sets = PublicRun(public, tuple(known_sets(public_set or ())), limit, output, today())
        _public(wanted_sets, start, compare or ())
    elif thumbs:
        _thumbs(thumbs, start if ask_again else None, output)
    else:
        wanted = Wanted(questions, _split(split), limit, _systems(ablate or ()), output)
        _own(wanted, start, compare or ())


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which questions are asked of which systems, and where what is found is left."""

    files: Sequence[Path] | None
    split: str
    limit: int | None
    systems: Sequence[str]
    output: Path


def _own(wanted: Wanted, start: Start, others: Sequence[Path]) -> None:
    """Questions of ours or of the user's, with the systems beside one another."""
    from eval import modes
    from eval.folder import compared_run, contents, leave
    from eval.measure.results import told_apart
    from eval.questions.questions import load, spread
    from eval.report import plain

    beside = [compared_run(path) for path in others]
    golds = spread(load(wanted.split, wanted.files), wanted.limit)
    with terminal.progress(terminal.messages()) as report:
        source = start(report)
        measured = [_run(name, source, golds, wanted) for name in wanted.systems]
    runs = told_apart([*measured, *beside])
    page = leave(replace(contents(wanted.output), runs=tuple(runs)), wanted.output)
    modes.show(plain.table(runs), page)


def _public(wanted: PublicRun, start: Start, others: Sequence[Path]) -> None:
    """Public sets in a folder of the user's."""
    from eval import modes

    compared = modes.compared(others)
    with terminal.progress(terminal.messages()) as report:
        results = modes.measure_public(wanted, start(report))
    modes.leave_sets(results, compared, wanted.output)


def _thumbs(path: Path, start: Start | None, output: Path) -> None:
    """Thumbs from the chat; with a way to open the assistant, what was voted down is asked again."""
    from eval import modes
    from eval.ask.ablations import FULL
    from eval.measure import feedback

    rows = feedback.read_thumbs(path)
    if start is None:
        found = feedback.summarise(rows)
    else:
        with terminal.progress(terminal.messages()) as report:
            found = feedback.ask_again(
                rows, open_system(FULL, start(report)), partial(report, "asking again")
            )
    modes.leave_thumbs(found, output)


def _run(name: str, source: SystemSource, golds: Sequence[Gold], wanted: Wanted) -> RunResults:
    """One system: its answers and results in files of its name."""
    from eval.ask.ablations import ABLATIONS
    from eval.ask.ask import ask
    from eval.measure.results import collect, save
    from eval.measure.stamps import stamp_of
    from eval.modes import today

    source = source.changed(**ABLATIONS[name].settings)
    assistant = open_system(name, source)
    path = wanted.output / f"answers-{name}.jsonl"
    report = source.progress or (lambda stage, done, total: None)
    rows = ask(assistant, golds, path, lambda n, of: report(name, n, of))
    stamp = stamp_of(
        name,
        assistant.fingerprint,
        golds,
        settings=source.settings,
        split=wanted.split,
        date=today(),
    )
    results = collect(rows, stamp)
    save(results, wanted.output / f"results-{name}.json")
    return results


def _split(name: str) -> str:
    from eval.questions.questions import SPLITS

    if name not in SPLITS:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(SPLITS)}.", param_hint="--split")
    return name


def _systems(wanted: Sequence[str]) -> list[str]:
    from eval.ask.ablations import ABLATIONS, FULL

    unknown = [name for name in wanted if name not in {*ABLATIONS, "all"}]
    if unknown:
        known = ", ".join(name for name in ABLATIONS if name != FULL)
        raise typer.BadParameter(f"{unknown[0]!r} is none of {known}, all.", param_hint="--ablate")
    chosen = ABLATIONS if "all" in wanted else wanted
    return list(dict.fromkeys([FULL, *chosen]))


def _settings(pairs: Sequence[str], *, quotes_only: bool) -> Settings:
    from rag.settings import Settings

    wrong = [pair for pair in pairs if "=" not in pair]
    if wrong:
        raise SettingsError(f"--set {wrong[0]}", hint="Write --set NAME=VALUE, as in --set support_min=0.6")
    given: dict[str, object] = {name: value for name, _, value in (pair.partition("=") for pair in pairs)}
    return Settings.load(**given, **({"generator": "none"} if quotes_only else {}))


def main() -> None:
    """`python -m eval` is `citewise eval`."""
    app(prog_name="citewise eval")
