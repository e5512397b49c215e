"""A model repository of tiny models: a table, pictures, texts, and one that kills its worker on a certain input."""

from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers

COLUMNS = tuple(f"column {letter}" for letter in "abcdefgh")
PICTURE_SIDE = 24  # pixels
WORDS = ("good", "bad", "film", "plot", "was", "the", "a", "very", "not", "long", "short", "I", "liked", "it", ".")
SPECIAL = ("[PAD]", "[UNK]")
KILLS = 666.0

MODEL_PY = f'''
import os

import torch
from torch import nn


class Text(nn.Module):
    """Token ids (rows, tokens) -> logits (rows, 2). The mask hides padding from the average."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding({len(SPECIAL) + len(WORDS)}, 8)
        self.hidden = nn.Linear(8, 8)
        self.relu = nn.ReLU()
        self.head = nn.Linear(8, 2)

    def get_input_embeddings(self):
        return self.embedding

    def forward(self, input_ids=None, attention_mask=None, inputs_embeds=None):
        embedded = self.embedding(input_ids) if inputs_embeds is None else inputs_embeds
        units = self.relu(self.hidden(embedded))
        mask = torch.ones_like(units[..., :1]) if attention_mask is None else attention_mask.unsqueeze(-1).to(units)
        return self.head((units * mask).sum(dim=1) / mask.sum(dim=1))


class Poison(nn.Module):
    """(rows, 4) -> (rows, 3). A value of {KILLS} kills the process that computes it."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 8)
        self.relu = nn.ReLU()
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        if bool((x == {KILLS}).any()):
            os.kill(os.getpid(), 9)
        return self.head(self.relu(self.first(x)))


def table():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear({len(COLUMNS)}, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))


def picture():
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.AvgPool2d(4), nn.Flatten(), nn.Linear(4 * 36, 3)
    )


def text():
    torch.manual_seed(2)
    return Text()


def poison():
    torch.manual_seed(3)
    return Poison()
'''
TOML = {
    "table": '[input]\nkind = "tabular"\nfeatures = [{columns}]\n[explain]\nlayer = "2"\nbaseline = "zero"\n',
    "picture": '[input]\nkind = "image"\nsize = [{side}, {side}]\nmean = [0.5, 0.5, 0.5]\nstd = [0.25, 0.25, 0.25]\n'
    '[explain]\nlayer = "1"\nbaseline = "zero"\n',
    "text": '[input]\nkind = "text"\ntokenizer = "tokenizer.json"\nmax_tokens = 32\n[explain]\nbaseline = "pad"\n',
    "poison": '[input]\nkind = "tensor"\nshapes = [[4]]\n',
}


def write_models(directory: Path) -> Path:
    """Writes the four models into `directory` and returns it."""
    columns = ", ".join(f'{{ name = "{name}", mean = 0.5, std = 2.0 }}' for name in COLUMNS)
    for name, toml in TOML.items():
        folder = directory / name
        folder.mkdir(parents=True)
        described = toml.replace("{columns}", columns).replace("{side}", str(PICTURE_SIDE))
        kind = '[output]\nkind = "classification"\n'
        (folder / "model.toml").write_text(f'name = "{name}"\nfactory = "model.py:{name}"\n{described}{kind}')
        (folder / "model.py").write_text(MODEL_PY)
    _tokenizer().save(str(directory / "text" / "tokenizer.json"))
    return directory


def _tokenizer() -> Tokenizer:
    vocabulary = {word: index for index, word in enumerate([*SPECIAL, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer
