"""Every error Citewise raises on purpose. Each carries a `hint`: what a person does next.

CitewiseError
├── SettingsError            a setting is unknown, out of bounds or unreadable
├── PromptError              a prompt file is missing, or its variables do not match
├── ReadError                an input file cannot be read at all (bad rows are rejected, not raised)
├── QuestionFileError        a file of questions cannot be read
├── OutputError              results cannot be written, or belong to another run
├── PaperIndexError
│   ├── IndexMissing         there is no index where one was expected
│   ├── IndexCorrupt         a file is damaged: names it with expected and actual checksum
│   ├── IndexMismatch        made by another embedding model or format: names both sides
│   │   └── IndexOutdated    of the format before: made anew without embedding
│   └── IndexBusy            another process is writing it
├── ModelError
│   ├── ModelMissing         weights are not on this machine
│   ├── ModelCorrupt         weights differ from the published checksum
│   └── GenerationFailed     the generator broke while writing
└── RequestError             a request to the server is refused
    ├── InvalidRequest       malformed, too long, or from another site
    ├── Unauthorized         the token is missing or wrong
    ├── NotFound             no such paper, job or route
    ├── DeadlineExceeded     the answer took longer than allowed
    ├── ClientGone           nobody waits for the answer any more
    └── TryLater             too many requests, or a full queue
        └── NotReady         models and papers are still being loaded
"""

from __future__ import annotations


class CitewiseError(Exception):
    """Root of the tree. Doors catch this and show `message` and `hint`."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class SettingsError(CitewiseError):
    """A setting is unknown, out of bounds or unreadable."""


class PromptError(CitewiseError):
    """A prompt file is missing, or its variables do not match."""


class ReadError(CitewiseError):
    """An input file cannot be read at all."""


class QuestionFileError(CitewiseError):
    """A file of questions cannot be read."""


class OutputError(CitewiseError):
    """Results cannot be written, or belong to another run."""


class PaperIndexError(CitewiseError):
    """Root of the index errors."""


class IndexMissing(PaperIndexError):
    """There is no index where one was expected."""


class IndexCorrupt(PaperIndexError):
    """A file of the index is damaged."""


class IndexMismatch(PaperIndexError):
    """The index was made by another embedding model or format version."""


class IndexOutdated(IndexMismatch):
    """The index is of the format before: it can be made anew without embedding."""


class IndexBusy(PaperIndexError):
    """Another process is writing the index."""


class ModelError(CitewiseError):
    """Root of the model errors."""


class ModelMissing(ModelError):
    """The weights are not on this machine."""


class ModelCorrupt(ModelError):
    """The weights differ from the published checksum."""


class GenerationFailed(ModelError):
    """The generator broke while writing."""


class RequestError(CitewiseError):
    """Root of the errors of requests to the server."""


class InvalidRequest(RequestError):
    """The request is malformed, too long, or comes from another site."""


class Unauthorized(RequestError):
    """The bearer token is missing or wrong."""


class NotFound(RequestError):
    """There is no such paper, job or route."""


class DeadlineExceeded(RequestError):
    """The answer took longer than the server allows."""


class ClientGone(RequestError):
    """Nobody waits for the answer any more."""


class TryLater(RequestError):
    """The server cannot take this request now; `retry_after_s` says when to come back."""

    def __init__(self, message: str, *, hint: str, retry_after_s: float) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class NotReady(TryLater):
    """The models and papers are still being loaded."""
