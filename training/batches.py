"""What the runs over MiniLM share: the model as it is trained, and windows as one padded batch of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from rag.models.windows import Window

if TYPE_CHECKING:
    from transformers import BertModel


def bert_to_train(folder: Path) -> BertModel:
    """BERT with its word embeddings as they are, so that what ships is a difference, and without dropout.

    Short runs have little to overfit, and dropout costs 40 % of the time on a CPU.
    """
    from transformers import BertModel

    bert = BertModel.from_pretrained(
        folder, add_pooling_layer=False, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    bert.embeddings.word_embeddings.weight.requires_grad_(False)
    return bert


def batch_of(windows: Sequence[Window]) -> dict[str, torch.Tensor]:
    """Token numbers, mask and types (windows, tokens); what averages each sentence, and the question.

    `pooling` (windows, sentences, tokens): zero where a window has fewer of them; `asked`: (windows, tokens).
    """
    length = max(len(window.ids) for window in windows)
    most = max(1, *(len(window.spans) for window in windows))
    ids, mask, kinds = (torch.zeros((len(windows), length), dtype=torch.long) for _ in range(3))
    pooling, asked = torch.zeros(len(windows), most, length), torch.zeros(len(windows), length)
    for i, window in enumerate(windows):
        ids[i, : len(window.ids)] = torch.tensor(window.ids)
        mask[i, : len(window.ids)] = 1
        kinds[i, : len(window.ids)] = torch.tensor(window.segments)
        asked[i, : window.question_tokens] = 1.0 / window.question_tokens
        for k, (start, end) in enumerate(window.spans):
            pooling[i, k, start:end] = 1.0 / max(end - start, 1)
    names = ("input_ids", "attention_mask", "token_type_ids", "pooling", "asked")
    return dict(zip(names, (ids, mask, kinds, pooling, asked), strict=True))
