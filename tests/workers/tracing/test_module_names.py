"""Names of modules in messages."""

from torch import nn

from workers.tracing.module_names import STANDS_FOR, is_embedding, labelled, named


def test_names_are_paths_and_classes() -> None:
    model = nn.Sequential(nn.Sequential(nn.ReLU()))
    assert labelled(model, "") == "the model (Sequential)"
    assert labelled(model, "0.0") == "0.0 (ReLU)"
    assert named("head", nn.Tanh()) == "head (Tanh)"


def test_replacements_have_the_name_of_what_they_replace() -> None:
    model = nn.Sequential(nn.Sequential(nn.ReLU()))
    vars(model[0])[STANDS_FOR] = "act (Hardtanh)"
    assert labelled(model, "0") == "act (Hardtanh)"
    assert labelled(model, "0.0") == "act (Hardtanh)"


def test_embeddings() -> None:
    assert is_embedding(nn.Embedding(2, 2))
    assert is_embedding(nn.EmbeddingBag(2, 2))
    assert not is_embedding(nn.Linear(2, 2))
