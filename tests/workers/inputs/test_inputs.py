"""From bytes to model space and back: pictures, tables, texts."""

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import Tensor, nn

from schemas.errors import InputRejected
from schemas.methods import Grid, Superpixels
from workers.inputs.image import ImageAdapter, blur
from workers.inputs.tabular import TabularAdapter
from workers.inputs.tensor import TensorAdapter
from workers.inputs.text import TextAdapter, read_tokenizer
from workers.repository.model_toml import InputConfig

CPU = torch.device("cpu")
DEVICES = [CPU, *([torch.device("cuda:0")] if torch.cuda.is_available() else [])]


def as_bytes(data: bytes) -> Tensor:
    return torch.frombuffer(bytearray(data), dtype=torch.uint8)


def image_config(**fields: object) -> InputConfig:
    return InputConfig.model_validate({"kind": "image", "size": [20, 20], **fields})


def quadrants(height: int, width: int) -> np.ndarray:
    """Red, green, blue and white quarters."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 255, 0)
    pixels[height // 2 :, : width // 2] = (0, 0, 255)
    pixels[height // 2 :, width // 2 :] = (255, 255, 255)
    return pixels


class TestImage:
    def test_normalised(self) -> None:
        adapter = ImageAdapter(image_config(mean=[0.5, 0.0, 0.0], std=[0.5, 1.0, 1.0]))
        (x,) = adapter.prepare({"pixels": torch.from_numpy(quadrants(20, 20))}, CPU).inputs
        assert x.shape == (1, 3, 20, 20)
        assert x[0, :, 2, 2].tolist() == [1.0, 0.0, 0.0]
        assert x[0, :, 2, 17].tolist() == [-1.0, 1.0, 0.0]
        assert x[0, :, 17, 17].tolist() == [1.0, 1.0, 1.0]
        assert x.is_contiguous()

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_each_level_as_the_formula_rounds_it(self, dtype: str) -> None:
        """On each device bit for bit what division, subtraction and division give in the model's precision."""
        adapter = ImageAdapter(
            image_config(dtype=dtype, size=[16, 16], mean=[0.485, 0.456, 0.406], std=[0.2, 0.3, 0.7])
        )
        levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
        mean, std = (np.array(values, dtype) for values in (adapter.config.mean, adapter.config.std))
        expected = ((levels.astype(dtype) / np.array(255, dtype) - mean) / std).transpose(2, 0, 1)
        for device in DEVICES:
            (x,) = adapter.prepare({"pixels": torch.from_numpy(levels)}, device).inputs
            assert x.device == device
            np.testing.assert_array_equal(x[0].cpu().numpy(), expected)

    @pytest.mark.parametrize(
        "pixels",
        [
            torch.zeros(20, 21, 3, dtype=torch.uint8),
            torch.zeros(3, 20, 20, dtype=torch.uint8),
            torch.zeros(20, 20, 3),
            torch.zeros(1200, dtype=torch.uint8),
        ],
    )
    def test_pixels_of_another_model(self, pixels: Tensor) -> None:
        with pytest.raises(InputRejected, match="pixels"):
            ImageAdapter(image_config()).prepare({"pixels": pixels}, CPU)

    def test_the_card_tells_how_pictures_are_prepared(self) -> None:
        given = {"resize": "stretch", "resize_to": [24, 30], "crop_fraction": 0.5, "interpolation": "lanczos"}
        preprocessing = ImageAdapter(image_config(**given)).card.preprocessing
        assert preprocessing is not None
        assert preprocessing.model_dump() == given

    def test_baselines(self) -> None:
        adapter = ImageAdapter(image_config(mean=[0.5, 0.4, 0.3], std=[0.5, 0.2, 0.1]))
        prepared = adapter.prepare({"pixels": torch.from_numpy(quadrants(20, 20))}, CPU)

        def baseline(name: str) -> Tensor:
            (tensor,), _ = adapter.baseline(name, prepared)
            assert tensor.shape == prepared.inputs[0].shape
            return tensor

        assert baseline("zero").abs().max() == 0
        assert torch.allclose(baseline("black")[0, :, 0, 0], torch.tensor([-1.0, -2.0, -3.0]))
        assert torch.allclose(baseline("white")[0, :, 9, 9], torch.tensor([1.0, 3.0, 7.0]))
        assert torch.allclose(baseline("mean")[0, 0], prepared.inputs[0][0, 0].mean().expand(20, 20))
        smooth = baseline("blur")
        assert smooth.std() < prepared.inputs[0].std()
        assert torch.allclose(smooth.mean(), prepared.inputs[0].mean(), atol=0.2)
        with pytest.raises(InputRejected):
            adapter.baseline("pad", prepared)

    def test_blur_keeps_what_is_flat(self) -> None:
        flat = torch.full((1, 3, 9, 5), 2.5, dtype=torch.float64)
        assert torch.allclose(blur(flat, 3.0), flat)

    def test_a_grid_tiles_the_picture(self) -> None:
        adapter = ImageAdapter(image_config())
        (mask,) = adapter.feature_mask(Grid(grid=[3, 4]), adapter.sample(CPU)) or ()
        assert mask.shape == (1, 3, 20, 20)
        assert mask.unique().tolist() == list(range(12))
        sizes = torch.bincount(mask[0, 0].flatten())
        assert sizes.max() <= sizes.min() * 1.5
        assert torch.equal(mask[0, 0], mask[0, 2])

    def test_superpixels_follow_the_colours(self) -> None:
        adapter = ImageAdapter(image_config(mean=[0.5, 0.4, 0.3], std=[0.5, 0.2, 0.1]))
        prepared = adapter.prepare({"pixels": torch.from_numpy(quadrants(20, 20))}, CPU)
        (mask,) = adapter.feature_mask(Superpixels(superpixels=4), prepared) or ()
        assert mask.shape == (1, 3, 20, 20)
        corners = [mask[0, 0, 2, 2], mask[0, 0, 2, 17], mask[0, 0, 17, 2], mask[0, 0, 17, 17]]
        assert sorted(map(int, corners)) == [0, 1, 2, 3]
        assert len(mask[0, 0, :9, :9].unique()) == 1  # a quarter of one colour is one region


class TestTables:
    FEATURES = [{"name": "age", "mean": 40.0, "std": 10.0}, {"name": "height", "mean": 1.7, "std": 0.1, "unit": "m"}]  # noqa: RUF012

    def test_standardised_and_told_in_their_own_units(self) -> None:
        adapter = TabularAdapter(InputConfig.model_validate({"kind": "tabular", "features": self.FEATURES}))
        raw = torch.tensor([[50.0, 1.5], [40.0, 1.7]], dtype=torch.float64)
        prepared = adapter.prepare({"features": raw}, CPU)
        assert torch.allclose(prepared.inputs[0], torch.tensor([[1.0, -2.0], [0.0, 0.0]]))
        described = adapter.describe(prepared, (torch.tensor([[0.5, -0.25], [1.0, 2.0]]),), layered=False)
        assert described.features is not None
        assert [(f.name, f.value, f.score) for f in described.features[0]] == [("age", 50, 0.5), ("height", 1.5, -0.25)]

    def test_model_ready_rows_are_told_in_the_tables_units(self) -> None:
        adapter = TabularAdapter(InputConfig.model_validate({"kind": "tabular", "features": self.FEATURES}))
        prepared = adapter.prepare({"input.0": torch.tensor([[1.0, -2.0]])}, CPU)
        assert torch.allclose(prepared.source, torch.tensor([[50.0, 1.5]], dtype=torch.float64))

    def test_a_tensor_of_another_shape(self) -> None:
        adapter = TensorAdapter(InputConfig.model_validate({"kind": "tensor", "shapes": [[2, 3]]}))
        with pytest.raises(InputRejected):
            adapter.prepare({"input.0": torch.zeros(1, 3, 2)}, CPU)
        with pytest.raises(InputRejected):
            adapter.prepare({}, CPU)


class TinyText(nn.Module):
    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, 4)

    def get_input_embeddings(self) -> nn.Embedding:
        return self.words


@pytest.fixture
def text(tmp_path: object) -> TextAdapter:
    """Word pieces as BERT has them, over a vocabulary that splits some words."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    words += ["don", "'", "t", "wonder", "##ful", "film", ",", "the", "-", "known", "well", "¡", "acción", "!"]
    vocabulary = {word: index for index, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.enable_padding(length=64)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    config = InputConfig.model_validate({"kind": "text", "tokenizer": "tokenizer.json", "max_tokens": 12})
    return TextAdapter(config, TinyText(len(words)), read_tokenizer(config, tmp_path))


class TestText:
    def prepare(self, adapter: TextAdapter, text: str) -> object:
        return adapter.prepare({"text": as_bytes(text.encode())}, CPU)

    def test_words_are_tokens_merged_with_their_offsets(self, text: TextAdapter) -> None:
        sentence = "don't film, well-known ¡acción! wonderful"
        text._tokenizer.enable_truncation(64)
        prepared = self.prepare(text, sentence)
        count = prepared.inputs[0].shape[1]
        described = text.describe(prepared, (torch.arange(1.0, count + 1).unsqueeze(0),), layered=False)
        assert described.words is not None
        assert described.tokens is not None
        words = [(w.text, w.score) for w in described.words[0]]
        # [CLS] is 1; don ' t are 2 3 4; film 5; , 6; well - known 7 8 9; ¡ 10; acción 11; ! 12; wonder ##ful 13 14
        assert words == [
            ("don't", 9),
            ("film", 5),
            (",", 6),
            ("well-known", 24),
            ("¡", 10),
            ("acción", 11),
            ("!", 12),
            ("wonderful", 27),
        ]
        assert all(sentence[w.start : w.end] == w.text for w in described.words[0])
        assert len(described.tokens[0]) == count
        assert described.tokens[0][-2].text == "##ful"

    def test_words_as_features(self, text: TextAdapter) -> None:
        prepared = self.prepare(text, "don't film wonderful !")
        (by_token,) = text.feature_mask(None, prepared) or ()
        (by_word,) = text.feature_mask("words", prepared) or ()
        assert by_token[0, :, 0].tolist() == list(range(9))
        # [CLS] don ' t film wonder ##ful ! [SEP]
        assert by_word[0, :, 0].tolist() == [0, 1, 1, 1, 2, 3, 3, 4, 5]
        assert by_word.shape == prepared.inputs[0].shape

    def test_too_long_is_cut_and_said(self, text: TextAdapter) -> None:
        prepared = self.prepare(text, "film " * 40)
        assert prepared.inputs[0].shape == (1, 12, 4)
        assert prepared.warnings == ["the text was cut after 12 tokens"]

    def test_the_pad_baseline_keeps_the_frame(self, text: TextAdapter) -> None:
        prepared = self.prepare(text, "the film")
        (embedded,), (ids,) = text.baseline("pad", prepared)
        assert ids.tolist() == [[2, 0, 0, 3]]
        assert torch.equal(embedded[0, 0], prepared.inputs[0][0, 0])
        assert not torch.equal(embedded[0, 1], prepared.inputs[0][0, 1])

    def test_nothing_to_explain(self, text: TextAdapter) -> None:
        with pytest.raises(InputRejected, match="no tokens"):
            self.prepare(text, "  \n ")

    def test_shared_scores_are_not_added_up(self, text: TextAdapter) -> None:
        attributions = (torch.full((1, 3, 4), 2.0),)
        assert text.on_wire(attributions, shared=True)[0].tolist() == [[2.0] * 3]
        assert text.on_wire(attributions, shared=False)[0].tolist() == [[8.0] * 3]

    def test_hooks_of_others_are_not_seen(self, text: TextAdapter) -> None:
        """A job of the solo lane may have its hooks on the embeddings while the text of another is prepared."""
        before = text.prepare({"text": as_bytes(b"good")}, CPU).inputs[0]
        handle = text.embeddings.register_forward_hook(lambda module, args, out: torch.zeros_like(out))
        during = text.prepare({"text": as_bytes(b"good")}, CPU).inputs[0]
        handle.remove()
        assert torch.equal(before, during)
        assert bool(before.any())
