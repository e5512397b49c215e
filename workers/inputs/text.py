"""Texts: token ids for methods at layers, their embeddings for other methods, words and tokens for clients."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import torch
from tokenizers import Encoding, Tokenizer
from torch import Tensor, nn

from schemas.errors import InputRejected
from schemas.methods import BaselineName, FeatureMask
from schemas.models import InputCard
from schemas.results import TextScore
from schemas.sentences import Sentence
from workers.inputs.prepared import Described, Payload, Prepared, Tensors
from workers.inputs.words import Span, numbered, word_of_each_token
from workers.repository.model_toml import InputConfig, ModelConfigError, inside
from workers.tracing.shared_copy import shared_copy


class FromEmbeddings(nn.Module):
    """A text model that takes embeddings instead of token ids.

    Embeddings (rows, tokens, width), mask (rows, tokens) and, for models that take them, token types (rows, tokens) ->
    (rows, outputs).
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.entry = nn.Identity()  # hooks on the embedding are placed here

    def forward(self, inputs_embeds: Tensor, attention_mask: Tensor, *token_types: Tensor) -> Tensor:
        more = {"token_type_ids": token_types[0]} if token_types else {}
        out: Tensor = self.model(inputs_embeds=self.entry(inputs_embeds), attention_mask=attention_mask, **more)
        return out


@dataclass(frozen=True, slots=True)
class OneText:
    """A text and its tokens."""

    text: str
    encoding: Encoding


@dataclass(frozen=True, slots=True)
class TextSource:
    """The texts of a job, which have equally many tokens."""

    texts: list[OneText]

    def special(self, device: torch.device) -> Tensor:
        """Which tokens are special, (examples, tokens)."""
        masks = [one.encoding.special_tokens_mask for one in self.texts]
        return torch.tensor(masks, device=device).bool()


class TextAdapter:
    """Texts. The payload `text` is (bytes,) uint8, UTF-8.

    Attributions are for the embeddings of the tokens. Baselines keep positions and special tokens. The model takes
    `input_ids` and `attention_mask`, (rows, tokens) each, or `inputs_embeds` in place of the ids, and has
    `get_input_embeddings()`. With `token_types`, it also takes `token_type_ids`.
    """

    baselines: list[BaselineName] = ["pad", "zero"]  # noqa: RUF012  # the protocol's attribute, never changed

    def __init__(
        self, config: InputConfig, model: nn.Module, tokenizer: Tokenizer, *, token_types: bool = False
    ) -> None:
        self.config = config
        self.card = InputCard(kind="text", shapes=[[config.max_tokens]], datatype="INT64", max_tokens=config.max_tokens)
        self._tokenizer = tokenizer
        self._token_types = token_types
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(config.max_tokens)
        pad = self._tokenizer.token_to_id(config.pad_token)
        if pad is None:
            raise ModelConfigError(f"input.pad_token: {config.pad_token!r} is not in the tokenizer's vocabulary")
        self._pad: int = pad
        self.embeddings: nn.Module = model.get_input_embeddings()  # type: ignore[operator]  # the contract above
        # Texts are prepared in other threads while a job of the solo lane may have hooks on the embeddings.
        self._without_hooks = shared_copy(self.embeddings)

    def prepare(self, payload: Payload, device: torch.device) -> Prepared:
        numbers = sorted(int(name.removeprefix("text.")) for name in payload if name.startswith("text."))
        sent = [payload["text"]] if "text" in payload else [payload[f"text.{number}"] for number in numbers]
        return self.prepare_texts([text.numpy().tobytes().decode("utf-8") for text in sent], device)

    def prepare_text(self, text: str, device: torch.device) -> Prepared:
        """As `prepare_texts`, of one text."""
        return self.prepare_texts([text], device)

    def prepare_texts(self, texts: list[str], device: torch.device) -> Prepared:
        """Texts with equally many tokens, each an example.

        Raises:
            InputRejected: a text has no tokens, or they have not equally many.
        """
        encodings = [self._tokenizer.encode(text) for text in texts]
        if not all(0 in encoding.special_tokens_mask for encoding in encodings):
            raise InputRejected("the text has no tokens")
        counts = sorted({len(encoding.ids) for encoding in encodings})
        if len(counts) > 1:
            raise InputRejected(
                Sentence(
                    "the texts have from {least} to {most} tokens; those of one request have equally many; use "
                    "several requests",
                    least=counts[0],
                    most=counts[-1],
                )
            )
        ids = torch.tensor([encoding.ids for encoding in encodings], device=device)  # (examples, tokens)
        additional_forward_args: Tensors = (torch.ones_like(ids),)
        if self._token_types:
            additional_forward_args += (torch.tensor([encoding.type_ids for encoding in encodings], device=device),)
        cut = any(encoding.overflowing for encoding in encodings)
        warnings: list[str] = [Sentence("the text was cut after {count} tokens", count=len(ids[0]))] if cut else []
        source = TextSource([OneText(text, encoding) for text, encoding in zip(texts, encodings, strict=True)])
        return Prepared((self._embed(ids),), additional_forward_args, (ids,), additional_forward_args, source, warnings)

    def _embed(self, ids: Tensor) -> Tensor:
        with torch.no_grad():
            embedded: Tensor = self._without_hooks(ids)
        return embedded  # (examples, tokens, width)

    def sample(self, device: torch.device) -> Prepared:
        return self.prepare_text("a", device)

    def baseline(self, name: BaselineName, prepared: Prepared) -> tuple[Tensors, Tensors]:
        ids = prepared.layer_inputs[0]
        special = prepared.source.special(ids.device)
        padded = torch.where(special, ids, torch.full_like(ids, self._pad))  # special tokens stay
        if name == "pad":
            return (self._embed(padded),), (padded,)
        if name == "zero":
            return (torch.zeros_like(prepared.inputs[0]),), (padded,)
        raise InputRejected(Sentence("baseline {name!r} means nothing for a text", name=name))

    def feature_mask(self, requested: FeatureMask | None, prepared: Prepared) -> Tensors | None:
        """(1 or examples, tokens, width): a feature is a token, or a word if requested. Each special token is its own
        feature."""
        embedded = prepared.inputs[0]
        features = [list(range(embedded.shape[1]))]
        if requested == "words":
            features = [numbered(_word_of_each_token(one)) for one in prepared.source.texts]
        mask = torch.tensor(features, device=embedded.device).unsqueeze(2)
        return (mask.expand(-1, -1, embedded.shape[2]).contiguous(),)  # Captum views it in another shape

    def on_wire(self, attributions: Tensors, *, shared: bool) -> Tensors:
        """(examples, tokens, width) -> (examples, tokens): sums over embeddings, or means where elements share one."""
        return tuple(a.mean(dim=-1) if shared else a.sum(dim=-1) for a in attributions)

    def pixels(self, inputs: Tensors) -> Tensor | None:
        return None

    def describe(self, prepared: Prepared, attributions: Tensors, *, layered: bool) -> Described:
        scores = attributions[0]
        if layered and scores.dim() == 3:
            scores = scores.sum(dim=-1)
        texts: list[OneText] = prepared.source.texts
        if tuple(scores.shape) != (len(texts), len(texts[0].encoding.ids)):
            return Described()  # the layer does not have one vector per token
        values = scores.double().tolist()
        return Described(
            tokens=[_tokens(one, row) for one, row in zip(texts, values, strict=True)],
            words=[_words(one, row) for one, row in zip(texts, values, strict=True)],
        )


def _tokens(source: OneText, scores: list[float]) -> list[TextScore]:
    encoding = source.encoding
    return [
        TextScore(text=token, start=start, end=end, score=score)
        for token, (start, end), score in zip(encoding.tokens, encoding.offsets, scores, strict=True)
    ]


def _words(source: OneText, scores: list[float]) -> list[TextScore]:
    """The sum over the tokens of each word. Words without tokens are left out."""
    sums: dict[Span, float] = {}
    for word, score in zip(_word_of_each_token(source), scores, strict=True):
        if word is not None:
            sums[word] = sums.get(word, 0.0) + score
    return [
        TextScore(text=source.text[start:end], start=start, end=end, score=score)
        for (start, end), score in sorted(sums.items())
    ]


def _word_of_each_token(source: OneText) -> list[Span | None]:
    encoding = source.encoding
    return word_of_each_token(source.text, encoding.offsets, encoding.special_tokens_mask)


def read_tokenizer(config: InputConfig, folder: Path) -> Tokenizer:
    """Reads the tokenizer that the model's description names.

    Raises:
        ModelConfigError: the file or its package does not exist.
    """
    return Tokenizer.from_file(str(_find(config.tokenizer or "", folder)))


def _find(name: str, folder: Path) -> Path:
    """The path of a tokenizer's file: in the model's folder, or, for `package:path`, in an installed package."""
    package, colon, path = name.partition(":")
    if not colon:
        return inside(folder, name)
    try:
        found = Path(str(files(package).joinpath(path)))
    except ModuleNotFoundError as error:
        raise ModelConfigError(f"input.tokenizer: package {package!r} is not installed") from error
    if not found.is_file():
        raise ModelConfigError(f"input.tokenizer: {name!r} is not there")
    return found
