"""The chat in a browser: `python app.py`, then http://127.0.0.1:7860. Text in, `Answer` rendered out."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from socket import socket

from rag.errors import CitewiseError, SettingsError
from rag.settings import Settings
from rag.ui.server import build_app
from rag.ui.state.library import LocalLibrary
from rag.web.addresses import is_loopback, listen, url_of

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = "7860"


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the chat until Ctrl-C. Returns the exit code: 0 stopped, 2 usage."""
    options = _parser().parse_args(argv)
    try:
        _check_host(options.host)
        settings = Settings.load()
        listener = listen(options.host, options.port)
    except CitewiseError as exc:
        sys.stderr.write(f"{exc.message}\n{exc.hint}\n")
        return 2
    _serve(listener, LocalLibrary(settings, options.papers))
    return 0


def _parser() -> argparse.ArgumentParser:
    """Options; each default can be set by an environment variable."""
    parser = argparse.ArgumentParser(prog="app.py", description="Citewise in a browser.")
    parser.add_argument(
        "--host",
        default=os.environ.get("CITEWISE_HOST", DEFAULT_HOST),
        help=f"loopback address to listen on (CITEWISE_HOST, default {DEFAULT_HOST})",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=os.environ.get("CITEWISE_PORT", DEFAULT_PORT),
        help=f"0 takes any free one (CITEWISE_PORT, default {DEFAULT_PORT})",
    )
    parser.add_argument("--papers", help="a file or folder of papers instead of the shipped ones")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535)")
    return int(text)


def _check_host(host: str) -> None:
    if not is_loopback(host):
        raise SettingsError(
            f"{host!r} can be reached from other machines, and the chat has no login yet.",
            hint="Use --host 127.0.0.1, and an SSH tunnel to reach it from elsewhere.",
        )


def _serve(listener: socket, library: LocalLibrary) -> None:
    """Run the page until it is told to stop."""
    import uvicorn

    app = build_app(
        library, hosts=[listener.getsockname()[0]], question_chars_max=library.settings.question_chars_max
    )
    config = uvicorn.Config(app, log_level="warning", server_header=False)
    sys.stdout.write(f"Citewise is on {url_of(listener)} (Ctrl-C stops it)\n")
    sys.stdout.flush()
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    sys.exit(main())
