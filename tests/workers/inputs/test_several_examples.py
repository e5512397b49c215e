"""Several pictures and several texts of one job equal the same ones alone."""

import pytest
import torch

from schemas.errors import InputRejected
from schemas.methods import Grid, Superpixels
from tests.workers.inputs.test_image import CPU, image_config, quadrants
from tests.workers.inputs.test_word_tokens import FAMILY, kept
from workers.inputs.image import ImageAdapter


def pictures(count: int) -> torch.Tensor:
    first = torch.from_numpy(quadrants(20, 20))
    return torch.stack([first.roll(3 * number, dims=1) for number in range(count)])


def test_pictures() -> None:
    adapter = ImageAdapter(image_config(mean=[0.5, 0.4, 0.3], std=[0.5, 0.6, 0.7]))
    several = pictures(3)
    together = adapter.prepare({"pixels": several}, CPU)
    alone = [adapter.prepare({"pixels": one}, CPU) for one in several]
    assert torch.equal(together.inputs[0], torch.cat([one.inputs[0] for one in alone]))
    for name in adapter.baselines:
        (baseline,), _ = adapter.baseline(name, together)
        assert torch.equal(
            baseline.expand_as(together.inputs[0]), torch.cat([adapter.baseline(name, one)[0][0] for one in alone])
        )
    patches = adapter.feature_mask(Superpixels(superpixels=4), together)
    assert patches is not None
    assert patches[0].shape[0] == 3
    grid = adapter.feature_mask(Grid(grid=[2, 2]), together)
    assert grid is not None
    assert grid[0].shape == (1, 3, 20, 20)


@pytest.mark.parametrize("shape", [(2, 20, 21, 3), (2, 3, 20, 20), (1, 1, 20, 20, 3)])
def test_what_are_no_pictures(shape: tuple[int, ...]) -> None:
    adapter = ImageAdapter(image_config())
    with pytest.raises(InputRejected):
        adapter.prepare({"pixels": torch.zeros(shape, dtype=torch.uint8)}, CPU)


@FAMILY
def test_texts(family: str) -> None:
    text = kept(family)
    sentences = ["I love playing", "I love playing", "I love love playing I", "playing love playing love I"]
    by_length: dict[int, list[str]] = {}
    for sentence in sentences + [" ".join(reversed(sentence.split())) for sentence in sentences]:
        by_length.setdefault(text.prepare_text(sentence, CPU).inputs[0].shape[1], []).append(sentence)
    chosen = max(by_length.values(), key=len)
    assert len(chosen) > 1
    payload = {f"text.{index}": torch.tensor(list(one.encode()), dtype=torch.uint8) for index, one in enumerate(chosen)}
    together = text.prepare(payload, CPU)
    alone = [text.prepare_text(one, CPU) for one in chosen]
    assert torch.equal(together.inputs[0], torch.cat([one.inputs[0] for one in alone]))
    assert torch.equal(together.layer_inputs[0], torch.cat([one.layer_inputs[0] for one in alone]))
    for name in text.baselines:
        together_baseline = text.baseline(name, together)[0][0]
        assert torch.equal(together_baseline, torch.cat([text.baseline(name, one)[0][0] for one in alone]))
    masks = text.feature_mask("words", together)
    singles = [text.feature_mask("words", one) for one in alone]
    assert masks is not None
    assert torch.equal(masks[0], torch.cat([one[0] for one in singles if one is not None]))
    scores = torch.rand(len(chosen), together.inputs[0].shape[1], dtype=torch.float64)
    described = text.describe(together, (scores,), layered=False)
    for index, one in enumerate(alone):
        single = text.describe(one, (scores[index : index + 1],), layered=False)
        assert described.words is not None
        assert single.words is not None
        assert described.words[index] == single.words[0]


@FAMILY
def test_texts_of_unequal_length_are_refused(family: str) -> None:
    with pytest.raises(InputRejected, match="several requests"):
        kept(family).prepare_texts(["I", "I love playing and playing"], CPU)
