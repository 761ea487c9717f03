"""All knobs in one frozen object: defaults here, then `citewise.toml`, then `CITEWISE_*` variables.

Units stand in the names. Unknown keys are refused. `fingerprint()` is stamped on every answer.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from rag.errors import SettingsError

# Where a thing is kept, or how fast it is made, does not change what is answered.
_NOT_IN_FINGERPRINT = frozenset(
    {"cache_dir", "data_dir", "threads", "generation_batch_size", "allow_download", "answer_cache"}
)


def refused(exc: ValidationError, kind: str, *, hint: str) -> SettingsError:
    """The first value that pydantic refuses, as an error of ours; `kind` is what one value is called."""
    first = exc.errors()[0]
    name = ".".join(str(part) for part in first["loc"]) or f"{kind}s"
    return SettingsError(f"{kind} {name!r}: {first['msg']}", hint=hint)


class Settings(BaseSettings):
    """Frozen settings; `Settings.load()` maps pydantic's errors to `SettingsError`."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="CITEWISE_", toml_file="citewise.toml"
    )

    # where things are
    cache_dir: Path = Field(default_factory=lambda: platformdirs.user_cache_path("citewise"))
    data_dir: Path = Field(default_factory=lambda: platformdirs.user_data_path("citewise"))
    allow_download: bool = False

    # which models
    embedding_model: str = "citewise-embedder"
    reranker: str = "citewise-reranker"
    verifier: str = "citewise-verifier"
    reader: str = "citewise-reader"  # reads whole abstracts: which answers, and is this answer right
    generator: str = "citewise-reader"
    engine: Literal["auto", "torch", "openvino"] = "auto"
    threads: int | None = Field(default=None, ge=1, le=256)

    # retrieval
    dense_top_k: int = Field(default=50, ge=1, le=1000)
    lexical_top_k: int = Field(default=50, ge=1, le=1000)
    rrf_k0: int = Field(default=60, ge=1)
    bm25_k1: float = Field(default=0.9, gt=0, le=10)
    bm25_b: float = Field(default=0.4, ge=0, le=1)
    lexical_weight: float = Field(default=0.6, ge=0)
    passages_top_k: int = Field(default=10, ge=1, le=100)
    rerank_top_k: int = Field(default=12, ge=1, le=200)
    rerank_first_k: int = Field(default=1, ge=1, le=200)  # read before the others, which may not be needed
    read_top_k: int = Field(default=6, ge=1, le=50)  # papers that the reader reads where none is sure
    read_ahead_mb: int = Field(default=1024, ge=0, le=1 << 20)  # on the disk, of abstracts read; 0: not kept
    sure_min: float = Field(default=0.9, ge=0, le=1)  # a first paper so probable needs no second look
    lead_min: float = Field(default=0.2, ge=0, le=3)  # and that was found so far ahead, in units of scores

    # evidence
    question_chars_max: int = Field(default=4000, ge=16)
    answerable_min: float = Field(default=0.05, ge=0, le=1)
    contributing_min: float = Field(default=0.5, ge=0, le=1)  # from here on a further paper is told as well
    confident_min: float = Field(default=0.35, ge=0, le=1)

    # generation and verification
    draft_tokens_max: int = Field(default=80, ge=8, le=1024)
    generation_batch_size: int = Field(default=16, ge=1, le=256)
    support_min: float = Field(default=0.5, ge=0, le=1)
    quote_relative_min: float = Field(default=0.3, ge=0, le=1)
    quote_sentences_max: int = Field(default=2, ge=1, le=10)
    strict: bool = False

    # repeats
    answer_cache: int = Field(default=256, ge=0, le=100_000)  # answers remembered; 0 is off

    @classmethod
    def load(cls, **overrides: object) -> Settings:
        """Settings from defaults, TOML, environment and `overrides` (strongest).

        :raises SettingsError: if a key is unknown or a value is out of bounds.
        """
        try:
            return cls(**overrides)  # type: ignore[arg-type]
        except tomllib.TOMLDecodeError as exc:
            raise SettingsError(
                f"citewise.toml cannot be read: {exc}", hint="Mend the line it names, or remove the file."
            ) from exc
        except ValidationError as exc:
            hint = "See rag/settings.py for the names, units and bounds of all settings."
            raise refused(exc, "setting", hint=hint) from exc

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments beat the environment, which beats the TOML file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    def fingerprint(self) -> str:
        """First 16 hex digits of sha256 over every setting that can change an answer."""
        values = self.model_dump(mode="json", exclude=set(_NOT_IN_FINGERPRINT))
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
