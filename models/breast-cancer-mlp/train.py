"""Train the network on the breast cancer table that scikit-learn ships.

    python train.py

Writes `weights.safetensors`, `background.safetensors`, `sample.json` and the list of features in
`model.toml`, all in this folder. Prints the accuracy on held-out rows and that of five folds over
the whole table. Deterministic; takes a few seconds.
"""

import json
import re
from pathlib import Path

import numpy as np
import torch
from model import build
from numpy.typing import NDArray
from safetensors.torch import save_file
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold, train_test_split
from torch import Tensor, nn

HERE = Path(__file__).parent
SEED = 0
EPOCHS = 20  # the least log loss in cross-validation of the training rows; more of them overfit
BATCH_ROWS = 32
BACKGROUND_ROWS = 32
MALIGNANT = 0

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def scale(x: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each column, (30,) and (30,), to seven digits.

    Rounded before use, so that model.toml holds the very figures the network was trained with.
    """
    mean = np.array([float(f"{value:.7g}") for value in x.mean(axis=0)])
    std = np.array([float(f"{value:.7g}") for value in x.std(axis=0)])
    return mean, std


def standardise(x: Floats, mean: Floats, std: Floats) -> Tensor:
    """The network's inputs, (rows, 30) float32."""
    return torch.from_numpy((x - mean) / std).float()


def fit(rows: Tensor, classes: Tensor) -> nn.Module:
    """Train a network on standardised rows, (rows, 30), and their classes, (rows,)."""
    torch.manual_seed(SEED)
    model = build()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
    for _ in range(EPOCHS):
        order = torch.randperm(len(rows))
        for start in range(0, len(rows), BATCH_ROWS):
            batch = order[start : start + BATCH_ROWS]
            loss = nn.functional.cross_entropy(model(rows[batch]), classes[batch])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return model


def right(model: nn.Module, rows: Tensor, classes: Tensor) -> NDArray[np.bool_]:
    """True for the rows that the model classifies correctly, (rows,)."""
    with torch.inference_mode():
        answer: NDArray[np.bool_] = (model(rows).argmax(dim=1) == classes).numpy()
    return answer


def cross_validate(x: Floats, y: Ints) -> float:
    """Mean accuracy of five networks, each on the fifth of the table it was not trained on."""
    accuracies = []
    for train, rest in StratifiedKFold(5, shuffle=True, random_state=SEED).split(x, y):
        mean, std = scale(x[train])
        rows, classes = standardise(x, mean, std), torch.from_numpy(y)
        model = fit(rows[train], classes[train])
        accuracies.append(right(model, rows[rest], classes[rest]).mean())
    return float(np.mean(accuracies))


def features_toml(names: list[str], mean: Floats, std: Floats) -> str:
    """The `features = [...]` entry of model.toml, one column of the table per line."""
    columns = zip(names, mean.tolist(), std.tolist(), strict=True)
    lines = [f'  {{ name = "{name}", mean = {m!r}, std = {s!r} }},' for name, m, s in columns]
    return "\n".join(["features = [", *lines, "]"])


def main() -> None:
    torch.set_num_threads(1)  # sums in one order
    table = load_breast_cancer()
    names = [str(name) for name in table.feature_names]
    x, y = table.data, table.target  # (569, 30), (569,): 0 malignant, 1 benign
    everything = np.arange(len(y))
    train, held_out = train_test_split(everything, test_size=0.2, random_state=SEED, stratify=y)

    mean, std = scale(x[train])
    rows, classes = standardise(x, mean, std), torch.from_numpy(y)
    model = fit(rows[train], classes[train])
    known = right(model, rows[train], classes[train])
    unseen = right(model, rows[held_out], classes[held_out])
    missed = y[held_out][~unseen]
    print(f"training accuracy {known.mean():.4f} (n = {len(train)})")
    print(f"held-out accuracy {unseen.mean():.4f} (n = {len(held_out)})")
    print(f"the larger class alone {max(y[held_out].mean(), 1 - y[held_out].mean()):.4f}")
    print(f"missed: {(missed == MALIGNANT).sum()} malignant, {(missed != MALIGNANT).sum()} benign")
    print(f"five folds of the whole table {cross_validate(x, y):.4f} (n = {len(y)})")

    save_file(model.state_dict(), HERE / "weights.safetensors")
    # Both classes in the proportion of the table, so that SHAP's expectation is that of the table.
    background, _ = train_test_split(
        train,
        train_size=BACKGROUND_ROWS,
        random_state=SEED,
        stratify=y[train],
    )
    save_file({"background": rows[background].contiguous()}, HERE / "background.safetensors")
    malignant = held_out[y[held_out] == MALIGNANT][0]  # the first of them, right or wrong
    sample = dict(zip(names, x[malignant].tolist(), strict=True))
    (HERE / "sample.json").write_text(json.dumps(sample, indent=2) + "\n", encoding="utf-8")
    card = HERE / "model.toml"
    entry = features_toml(names, mean, std)
    text = card.read_text(encoding="utf-8")
    text, found = re.subn(r"features = \[.*?\n\]", lambda _: entry, text, flags=re.DOTALL)
    if found != 1:
        raise SystemExit("model.toml has no list of features to replace")
    card.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
