"""`citewise eval`: ask, measure, print, and leave results and a report in a folder.

Importing this loads no model; `citewise --help` does so.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag import terminal
from rag.commands import reported
from rag.errors import OutputError, SettingsError

if TYPE_CHECKING:
    from eval.ablations import Opening
    from eval.questions import Gold
    from eval.results import Results
    from eval.run import Answering
    from rag.settings import Settings

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def opening(settings: Settings, papers: str | None, collection: str, progress: terminal.Report) -> Opening:
    """What every system of a run is opened from."""
    from eval.ablations import Opening
    from rag.ingest import open_embedder

    return Opening(settings, open_embedder(settings), papers, collection, progress)


def open_system(name: str, source: Opening) -> Answering:
    """The assistant, whole or with something taken away; tests put a fake here."""
    from eval.ablations import ABLATIONS

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
        list[str] | None, typer.Option(help="Also with this taken away, or all: see eval/ablations.py.")
    ] = None,
    papers: Annotated[str | None, typer.Option(help="A file or folder of papers.")] = None,
    collection: Annotated[str, typer.Option(help="The collection of papers.")] = "default",
    output: Annotated[
        Path, typer.Option("-o", "--output", "--out", help="The folder for answers, results, report.")
    ] = Path("citewise-eval"),
    compare: Annotated[
        list[Path] | None, typer.Option(help="results.json of another run, to be shown beside.")
    ] = None,
) -> None:
    """Measure answers to questions whose answers are known; completes a run that was stopped."""
    from eval.questions import load
    from eval.results import read
    from eval.run import spread

    beside = [read(path) for path in compare or ()]
    golds = spread(load(_split(split), questions), limit)
    names = _systems(ablate or ())
    settings = _settings(sets or (), quotes_only=quotes_only)
    with terminal.progress(terminal.messages()) as report:
        source = opening(settings, papers, collection, report)
        runs = [_run(name, source, golds, split, output) for name in names]
    _leave([*runs, *beside], output)


def _run(name: str, source: Opening, golds: Sequence[Gold], split: str, folder: Path) -> Results:
    """One system: its answers and results in files of its name."""
    from eval.ablations import ABLATIONS
    from eval.results import collect, save, stamp_of
    from eval.run import ask

    source = source.changed(**ABLATIONS[name].settings)
    assistant = open_system(name, source)
    report = source.progress or (lambda stage, done, total: None)
    rows = ask(assistant, golds, folder / f"answers-{name}.jsonl", lambda n, of: report(name, n, of))
    stamp = stamp_of(
        name,
        assistant.fingerprint,
        golds,
        settings=source.settings,
        split=split,
        date=datetime.date.today().isoformat(),
    )
    results = collect(rows, stamp)
    save(results, folder / f"results-{name}.json")
    return results


def _leave(runs: Sequence[Results], folder: Path) -> None:
    """The table on standard output, the report in the folder."""
    from eval.report import render
    from eval.report.plain import table
    from eval.results import told_apart

    runs = told_apart(runs)
    page = folder / "report.html"
    try:
        page.write_text(render(runs), encoding="utf-8")
    except OSError as exc:
        raise OutputError(f"{page}: {exc.strerror}", hint="Choose another folder with -o.") from exc
    typer.echo(terminal.printable(table(runs)))
    terminal.messages().print(f"Report: {page}")


def _split(name: str) -> str:
    from eval.questions import SPLITS

    if name not in SPLITS:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(SPLITS)}.", param_hint="--split")
    return name


def _systems(wanted: Sequence[str]) -> list[str]:
    from eval.ablations import ABLATIONS, FULL

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
    overrides: dict[str, object] = dict(pair.split("=", 1) for pair in pairs)
    return Settings.load(**overrides, **({"generator": "none"} if quotes_only else {}))


def main() -> None:
    """`python -m eval` is `citewise eval`."""
    app(prog_name="citewise eval")
