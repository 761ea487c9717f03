"""The command line: `citewise ask chat search batch ingest serve mcp doctor models`, and what is plugged in.

Data goes to standard output, everything else to standard error. Exit codes: 0 all well, 1 something
failed, 2 usage or unreadable input, 130 interrupted. Models load where a command needs them.
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.batch.questions import count_questions, read_questions
from rag.batch.results import FORMATS, is_known_output, json_line, open_results
from rag.batch.run import answer_rows
from rag.cli import chat as conversation
from rag.cli import servers, terminal
from rag.cli.plugins import PluggableGroup, reported
from rag.text.printable import readable

if TYPE_CHECKING:
    from rag.ports import Progress, TerminalAnswers
    from rag.settings import Settings

app = typer.Typer(
    cls=PluggableGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Papers = Annotated[str | None, typer.Option("--papers", help="A file or folder of papers to answer over.")]
Collection = Annotated[str, typer.Option("--collection", help="The collection of papers.")]
Strict = Annotated[bool, typer.Option("--strict", help="Show fully supported sentences only.")]
Version = Annotated[bool, typer.Option("--version", help="Print the version.")]


def open_assistant(
    papers: str | None, collection: str, settings: Settings, progress: Progress
) -> TerminalAnswers:
    """The assistant behind every command; tests put a fake here."""
    from rag.assistant import Assistant

    return Assistant.open(
        papers=papers, collection=collection, settings=settings, progress=progress, preload=True
    )


@app.callback(invoke_without_command=True)
def _global(*, version: Version = False) -> None:
    """Questions answered over paper abstracts; every sentence cites the paper that carries it."""
    if version:
        from rag.cli.doctor import version as installed

        typer.echo(f"citewise {installed()}")
        raise typer.Exit()


@app.command()
@reported
def ask(
    question: Annotated[str, typer.Argument(help="The question.")],
    *,
    as_json: Json = False,
    papers: Papers = None,
    collection: Collection = "default",
    strict: Strict = False,
    stream: Annotated[bool, typer.Option(help="Show the draft while it is written.")] = True,
) -> None:
    """Answer one question."""
    assistant = _open(papers, collection, strict=strict)
    answer = conversation.answer(assistant, readable(question), draft=stream and not as_json)
    if as_json:
        typer.echo(json_line(answer))
    else:
        conversation.show(answer)
    raise typer.Exit(1 if answer.status == "error" else 0)


@app.command()
@reported
def chat(*, papers: Papers = None, collection: Collection = "default", strict: Strict = False) -> None:
    """Ask and ask again; /new forgets what was said, /quit leaves."""
    conversation.converse(_open(papers, collection, strict=strict))


@app.command()
@reported
def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    *,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many papers.")] = 10,
    as_json: Json = False,
    papers: Papers = None,
    collection: Collection = "default",
) -> None:
    """Find papers without answering."""
    found = _open(papers, collection, generator="none").search(readable(query), k)
    if as_json:
        typer.echo(json.dumps([passage.to_dict() for passage in found]))
    else:
        terminal.show_passages(found, terminal.output())


@app.command()
@reported
def batch(  # noqa: PLR0913
    source: Annotated[str, typer.Argument(metavar="INPUT", help="A file of questions, or -.")],
    *,
    output: Annotated[str, typer.Option("-o", "--output", help=f"{FORMATS}.")] = "-",
    resume: Annotated[
        bool, typer.Option("--resume/--restart", help="Complete an output, or begin anew.")
    ] = True,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first rows.")] = None,
    papers: Papers = None,
    collection: Collection = "default",
    strict: Strict = False,
) -> None:
    """Answer a file of questions (.jsonl .csv .tsv .parquet .txt, also .gz), one result per row."""
    _check_output(source, output)
    total = count_questions(source) or 0
    err = terminal.messages()
    bars = output != "-" or not sys.stdout.isatty()
    with closing(open_results(output, restart=not resume)) as results:
        assistant = _open(papers, collection, strict=strict)
        try:
            with terminal.progress(err, bars=bars) as report:
                done = answer_rows(
                    assistant,
                    islice(read_questions(source), limit),
                    results,
                    partial=limit is not None,
                    on_row=lambda count: report("answering", count, min(total, limit or total)),
                )
        except KeyboardInterrupt:
            if output != "-":
                err.print(f"Stopped. {output} keeps what is done; the same command completes it.")
            raise
    err.print(terminal.batch_summary(done, output))
    raise typer.Exit(1 if done.failed else 0)


def _check_output(source: str, output: str) -> None:
    """Refuse an output of unknown kind, and one that is the input."""
    if not is_known_output(output):
        raise typer.BadParameter(f"{output}: use {FORMATS}.", param_hint="-o")
    if Path(source).exists() and Path(output).exists() and Path(source).samefile(output):
        raise typer.BadParameter(f"{output} is the input itself.", param_hint="-o")


@app.command()
@reported
def ingest(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH...", help="Files or folders of papers.")
    ] = None,
    *,
    collection: Collection = "default",
    remove: Annotated[list[str] | None, typer.Option(help="A paper id to take out.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Begin the collection anew.")] = False,
) -> None:
    """Add papers to a collection, or take them out."""
    if not paths and not remove:
        raise typer.BadParameter("give files or folders of papers, or --remove ID")
    from rag.ingest import ingest as run

    with terminal.progress(terminal.messages()) as report:
        done = run(
            paths or [],
            collection=collection,
            settings=_settings(),
            remove=remove or [],
            replace=replace,
            progress=report,
        )
    terminal.show_ingestion(done, collection)


app.command()(servers.serve)
app.command()(servers.mcp)


@app.command()
@reported
def doctor(*, as_json: Json = False) -> None:
    """Say what is missing on this machine and the command that mends it."""
    from rag.cli.doctor import diagnose

    checks = diagnose(_settings())
    ok = all(check.ok for check in checks)
    if as_json:
        typer.echo(json.dumps({"ok": ok, "checks": [asdict(check) for check in checks]}, indent=1))
    else:
        for check in checks:
            terminal.show_check(check.name, check.detail, check.fix, ok=check.ok)
    raise typer.Exit(0 if ok else 1)


@app.command()
@reported
def models(*, as_json: Json = False) -> None:
    """Show which models are installed, where, and whether their checksums match."""
    from rag.models.weights import model_status

    found = model_status(_settings())
    if as_json:
        typer.echo(json.dumps([asdict(model) for model in found], indent=1, default=str))
        return
    for model in found:
        seen = f"{model.path}  {model.detail}" if model.path else model.detail
        terminal.show_check(f"{model.role} {model.name}", seen, model.hint, ok=model.ok)


def _settings(*, strict: bool = False, **overrides: object) -> Settings:
    from rag.settings import Settings

    return Settings.load(**({"strict": True} if strict else {}), **overrides)


def _open(
    papers: str | None, collection: str, *, strict: bool = False, **overrides: object
) -> TerminalAnswers:
    with terminal.progress(terminal.messages()) as report:
        return open_assistant(papers, collection, _settings(strict=strict, **overrides), report)


def main() -> None:
    """The `citewise` command."""
    app(prog_name="citewise")
