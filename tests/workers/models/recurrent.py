"""An LSTM text classifier as people write them, for the python loader."""

from typing import Any

import torch
from torch import Tensor, nn

from tests.workers.models.loaders.transformers_folders import SPECIAL, WORDS

MODEL_TOML = """
name = "lstm"
factory = "model.py:build"
weights = "weights.safetensors"
[input]
kind = "text"
tokenizer = "tokenizer.json"
max_tokens = 40
[output]
labels = ["bad", "good"]
"""
MODEL_PY = """
from tests.workers.models.recurrent import LstmClassifier


def build():
    return LstmClassifier()
"""


class LstmClassifier(nn.Module):
    """Reads a text both ways and averages what it read; the mask hides what is padded from the average alone."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(SPECIAL + WORDS), 8)
        self.lstm = nn.LSTM(8, 6, batch_first=True, bidirectional=True)
        self.head = nn.Linear(12, 2)

    def get_input_embeddings(self) -> nn.Module:
        return self.embedding

    def forward(
        self, input_ids: Tensor | None = None, attention_mask: Tensor | None = None, inputs_embeds: Tensor | None = None
    ) -> Tensor:
        embedded: Any = self.embedding(input_ids) if inputs_embeds is None else inputs_embeds
        read, _ = self.lstm(embedded)  # (rows, tokens, 12)
        mask = torch.ones_like(read[..., :1]) if attention_mask is None else attention_mask.unsqueeze(-1).to(read)
        return self.head((read * mask).sum(dim=1) / mask.sum(dim=1))
