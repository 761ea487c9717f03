"""What the server takes on at once, as frozen settings: defaults here, then `CITEWISE_SERVE_*` variables."""

from __future__ import annotations

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag.settings import refused


class Limits(BaseSettings):
    """Bounds on requests; `Limits.load()` maps pydantic's errors to `SettingsError`."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="CITEWISE_SERVE_")

    # one request
    body_bytes_max: int = Field(default=1_048_576, ge=1024)
    history_turns_max: int = Field(default=100, ge=0)
    deadline_s: float = Field(default=120.0, gt=0)

    # all requests: answers written at once, and questions that wait for a place
    concurrent: int = Field(default=1, ge=1, le=64)
    waiting_max: int = Field(default=16, ge=0)

    # one client, when the server can be reached from other machines
    requests_per_minute: float = Field(default=60.0, gt=0)
    burst: int = Field(default=20, ge=1)

    # batches
    batch_questions_max: int = Field(default=1000, ge=1)
    jobs_max: int = Field(default=50, ge=1)

    @classmethod
    def load(cls, **overrides: object) -> Limits:
        """Limits from defaults, environment and `overrides` (strongest).

        :raises SettingsError: if a key is unknown or a value is out of bounds.
        """
        try:
            return cls(**overrides)  # type: ignore[arg-type]
        except ValidationError as exc:
            hint = "See rag/serve/limits.py for the names, units and bounds of all limits."
            raise refused(exc, "server limit", hint=hint) from exc
