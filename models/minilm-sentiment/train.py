"""Train the sentiment head on rated movie-review sentences; the encoder stays frozen.

    pip download --no-deps --no-binary :all: vaderSentiment==0.5
    python train.py vaderSentiment-0.5.zip

The argument is that archive, or the folder it was unpacked into. Writes `weights.safetensors`
in this folder and prints the accuracy on held-out sentences.
Deterministic; takes one or two minutes on two cores.
"""

import io
import sys
import tarfile
import zipfile
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import torch
from model import ENCODER_FOLDER, ENCODER_PACKAGE, MiniLMSentiment, build
from numpy.typing import NDArray
from safetensors.torch import save_file
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tokenizers import Tokenizer

HERE = Path(__file__).parent
ARCHIVE = "additional_resources/hutto_ICWSM_2014.tar.gz"  # inside the sdist
SENTENCES = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"  # inside the archive
SEED = 0
NEUTRAL = 0.5  # mean ratings (from -4 to 4) within ±0.5 have no clear side and are left out
MAX_TOKENS = 128
BATCH_ROWS = 64


def read_sentences(source: Path) -> tuple[list[str], NDArray[np.float64]]:
    """Sentences and their mean ratings in [-4, 4], without repeats."""
    if source.is_dir():
        packed = next(source.rglob(Path(ARCHIVE).name)).read_bytes()
    else:
        with zipfile.ZipFile(source) as sdist:
            packed = sdist.read(f"vaderSentiment-0.5/{ARCHIVE}")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        member = archive.extractfile(SENTENCES)
        assert member is not None
        lines = member.read().decode("utf-8").splitlines()
    rated: dict[str, tuple[str, float]] = {}
    for line in lines:
        _, rating, text = line.split("\t")
        # The first of two equal sentences stays, so that no sentence is on both sides of the split.
        rated.setdefault("".join(filter(str.isalnum, text.lower())), (text, float(rating)))
    texts, ratings = zip(*rated.values(), strict=True)
    return list(texts), np.array(ratings)


def encode(model: MiniLMSentiment, texts: list[str]) -> NDArray[np.float32]:
    """The sentence vectors that the head takes, (sentences, 384)."""
    with as_file(files(ENCODER_PACKAGE) / ENCODER_FOLDER / "tokenizer.json") as path:
        tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    ids = [torch.tensor(encoding.ids) for encoding in tokenizer.encode_batch(texts)]
    vectors = torch.empty(len(texts), model.head.in_features)
    shortest_first = sorted(range(len(ids)), key=lambda i: len(ids[i]))  # little padding in a batch
    with torch.inference_mode():
        for start in range(0, len(ids), BATCH_ROWS):
            rows = shortest_first[start : start + BATCH_ROWS]
            # [PAD] is 0, and no other token is.
            batch = torch.nn.utils.rnn.pad_sequence([ids[i] for i in rows], batch_first=True)
            vectors[rows] = model.pool(batch, attention_mask=batch != 0)
    array: NDArray[np.float32] = vectors.numpy()
    return array


def fit_head(x: NDArray[np.float32], y: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
    """A logistic regression on standardised vectors, folded into one linear layer.

    `x` is (sentences, 384), `y` is (sentences,); returns the weight, (2, 384), and the bias, (2,).
    """
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    regression = LogisticRegressionCV(
        Cs=[0.001, 0.003, 0.01, 0.03, 0.1],
        cv=folds,
        scoring="accuracy",
        l1_ratios=(0.0,),  # ridge
        use_legacy_attributes=False,
        max_iter=2000,
    )
    scaler = StandardScaler()
    make_pipeline(scaler, regression).fit(x.astype(np.float64), y)
    print(f"regularisation chosen by five folds of the training part: C = {regression.C_}")
    weight = regression.coef_[0] / scaler.scale_
    bias = regression.intercept_[0] - weight @ scaler.mean_
    # The regression has one logit, "positive" over "negative"; the two classes share it evenly.
    halves = np.array([-0.5, 0.5])
    both = np.outer(halves, weight), halves * bias
    return torch.from_numpy(both[0]).float(), torch.from_numpy(both[1]).float()


def main(source: Path) -> None:
    texts, ratings = read_sentences(source)
    clear = np.flatnonzero(np.abs(ratings) > NEUTRAL)
    print(f"{len(texts)} sentences, {len(clear)} of them rated beyond ±{NEUTRAL}")
    texts = [texts[i] for i in clear]
    y = (ratings[clear] > 0).astype(np.int64)
    everything = np.arange(len(y))
    train, held_out = train_test_split(everything, test_size=0.2, random_state=SEED, stratify=y)

    model = build()
    assert isinstance(model, MiniLMSentiment)
    x = encode(model, texts)
    weight, bias = fit_head(x[train], y[train])
    model.head.load_state_dict({"weight": weight, "bias": bias})
    save_file({"head.weight": weight, "head.bias": bias}, HERE / "weights.safetensors")

    with torch.inference_mode():
        right = (model.head(torch.from_numpy(x)).argmax(dim=1).numpy() == y).astype(np.float64)
    print(f"training accuracy {right[train].mean():.4f} (n = {len(train)})")
    print(f"held-out accuracy {right[held_out].mean():.4f} (n = {len(held_out)})")
    print(f"the larger class alone {max(y[held_out].mean(), 1 - y[held_out].mean()):.4f}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
