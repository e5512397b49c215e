"""Small tokenizers of the kinds that models come with, trained on a few sentences in several scripts."""

from collections.abc import Callable

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

CORPUS = [
    "I love playing the film, and they don't love the well-known plot.",
    "The players love this film. Playing it is lovely!",
    "नमस्ते दुनिया यह फिल्म सुन्दर है",
    "مرحبا بالعالم هذا الفيلم جميل",
    "שלום עולם הסרט הזה יפה",
    "我喜欢这部电影 这部电影很好看",
    "この映画が大好きです カタカナ",
    "สวัสดีชาวโลก หนังเรื่องนี้ดีมาก",
    "acción été 👍🏽 👨‍👩‍👧 ❤️ 🇩🇪",
]
SPECIAL = ["<pad>", "<unk>", "<s>", "</s>"]


def _framed(tokenizer: Tokenizer) -> Tokenizer:
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=[("<s>", 2), ("</s>", 3)])
    return tokenizer


def word_piece() -> Tokenizer:
    """BERT: lower case, accents stripped, `##` inside words."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=260, special_tokens=SPECIAL, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return _framed(tokenizer)


def byte_level(*, prefix: bool, trim: bool) -> Callable[[], Tokenizer]:
    """GPT-2: bytes, with the space before a word in the word's token."""

    def build() -> Tokenizer:
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
        trainer = trainers.BpeTrainer(
            vocab_size=340,
            special_tokens=SPECIAL,
            show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        )
        tokenizer.train_from_iterator(CORPUS, trainer)
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=trim)
        return tokenizer

    return build


def roberta() -> Tokenizer:
    tokenizer = byte_level(prefix=True, trim=True)()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 3), ("<s>", 2))
    return tokenizer


def unigram() -> Tokenizer:
    """SentencePiece: `▁` for a space, before the first word too; NFKC."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    trainer = trainers.UnigramTrainer(vocab_size=160, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return _framed(tokenizer)


def unigram_over_blanks() -> Tokenizer:
    """SentencePiece without a split at spaces: one token may cover several words."""
    pieces = ["▁I", "▁I▁love", "▁the▁film", "▁", "love", "▁love,", ".▁The", "这部电影", "很好", "สวัสดี", "ชาวโลก"]
    pieces += sorted(set("".join(CORPUS)) - {" "})
    vocabulary = [(piece, -1.0 / len(piece)) for piece in [*SPECIAL, *pieces]]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=1))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    return _framed(tokenizer)


def llama(scheme: str) -> Callable[[], Tokenizer]:
    """Llama: BPE over `▁`, bytes for what has no token."""

    def build() -> Tokenizer:
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme)
        octets = [f"<0x{number:02X}>" for number in range(256)]
        trainer = trainers.BpeTrainer(vocab_size=480, special_tokens=[*SPECIAL, *octets], show_progress=False)
        tokenizer.train_from_iterator(CORPUS[:3], trainer)
        return _framed(tokenizer)

    return build


def old_llama() -> Tokenizer:
    """Llama as first converted: the normalizer writes `▁`, and nothing splits."""
    tokenizer = llama("never")()
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.pre_tokenizer = None  # type: ignore[assignment]  # the library takes it
    return tokenizer


def char_bpe() -> Tokenizer:
    """The first GPT: lower case, `</w>` at the end of words."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.BPEDecoder()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=SPECIAL, end_of_word_suffix="</w>", show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return _framed(tokenizer)


def word_level() -> Tokenizer:
    """Whole words between blanks, punctuation and all."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator(CORPUS, trainers.WordLevelTrainer(special_tokens=SPECIAL, show_progress=False))
    return _framed(tokenizer)


def single_bytes() -> Tokenizer:
    """ByT5: each byte is a token, so that the tokens of one character repeat its offsets."""
    tokenizer = Tokenizer(models.BPE({token: index for index, token in enumerate([*SPECIAL, *_alphabet()])}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return _framed(tokenizer)


def _alphabet() -> list[str]:
    return sorted(pre_tokenizers.ByteLevel.alphabet())


FAMILIES: dict[str, Callable[[], Tokenizer]] = {
    "word piece": word_piece,
    "byte level": byte_level(prefix=False, trim=True),
    "byte level, untrimmed": byte_level(prefix=False, trim=False),
    "byte level, prefixed": byte_level(prefix=True, trim=True),
    "byte level, prefixed and untrimmed": byte_level(prefix=True, trim=False),
    "roberta": roberta,
    "unigram": unigram,
    "unigram over blanks": unigram_over_blanks,
    "llama, always": llama("always"),
    "llama, first": llama("first"),
    "old llama": old_llama,
    "char bpe": char_bpe,
    "word level": word_level,
    "single bytes": single_bytes,
}
