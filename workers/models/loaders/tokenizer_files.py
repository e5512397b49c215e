"""The tokenizer of a transformers folder: `tokenizer.json`, or a vocabulary that transformers converts."""

from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from torch import nn

from workers.models.tuning import DEFAULT_MAX_TOKENS
from workers.repository.model_toml import InputConfig, ModelConfigError


def text_input(given: InputConfig, path: Path, module: nn.Module) -> tuple[InputConfig, Tokenizer, bool]:
    """Returns the description with pad token and length, the tokenizer, and whether it returns token types.

    Raises:
        ModelConfigError: the folder holds no tokenizer of the `tokenizers` library, or the tokenizer has no pad token.
    """
    from transformers import AutoTokenizer  # noqa: PLC0415  # takes seconds

    try:
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, ImportError) as error:
        said = " ".join(str(error).split())
        raise ModelConfigError(f"input: the folder's tokenizer cannot be read: {said}") from error
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if not isinstance(backend, Tokenizer):
        raise ModelConfigError(f"input: {type(tokenizer).__name__} is no tokenizer with a tokenizer.json")
    pad = given.pad_token if "pad_token" in given.model_fields_set else tokenizer.pad_token
    if pad is None:
        raise ModelConfigError("input.pad_token: the tokenizer names none; give one of its tokens")
    longest = min(int(tokenizer.model_max_length), _positions(module))
    wanted = given.max_tokens if "max_tokens" in given.model_fields_set else min(longest, DEFAULT_MAX_TOKENS)
    if wanted > longest:
        raise ModelConfigError(f"input.max_tokens: the model takes {longest}")
    described = given.model_copy(update={"pad_token": pad, "max_tokens": wanted})
    return described, backend, "token_type_ids" in tokenizer.model_input_names


def _positions(module: nn.Module) -> int:
    """The number of tokens that the model has positions for."""
    for path, part in module.named_modules():
        if path.endswith("position_embeddings") and isinstance(part, nn.Embedding):
            # models like RoBERTa count positions from behind the pad token's id
            return part.num_embeddings - (0 if part.padding_idx is None else part.padding_idx + 1)
    config: Any = module.config
    positions = int(getattr(config, "max_position_embeddings", None) or 0)
    return positions if positions > 0 else 1 << 30
