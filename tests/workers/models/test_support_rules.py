"""Each rule of method support by itself, on facts that are made up."""

from dataclasses import replace

import pytest

from schemas.methods import METHOD_NAMES, METHODS
from workers.models.probes.gradient_reach import UNKNOWN, Reach
from workers.models.support_rules import SupportFacts, unsupported_reason

WITHOUT_GRADIENTS = {name for name, method in METHODS.items() if not method.gradients}
PICTURES = SupportFacts(
    alone=None,
    text=False,
    integers=False,
    pictures=True,
    embedding=None,
    has_embedding=False,
    no_layers=None,
    no_gradient=None,
    reach=UNKNOWN,
    defects={},
)
TOKENS = replace(PICTURES, integers=True, pictures=False, embedding="words", has_embedding=True)


def unsupported(facts: SupportFacts) -> set[str]:
    return {name for name in METHOD_NAMES if unsupported_reason(name, facts) is not None}


def test_a_model_of_pictures_without_defects_supports_every_method() -> None:
    assert unsupported(PICTURES) == set()


def test_a_model_that_runs_alone_lacks_methods_of_several_rows() -> None:
    facts = replace(PICTURES, alone="its forward draws random numbers")
    assert {"deep_lift", "lrp", "guided_grad_cam", "layer_conductance", "neuron_gradient_shap"} <= unsupported(facts)
    assert not {"saliency", "integrated_gradients", "gradient_shap", "occlusion"} & unsupported(facts)
    reason = unsupported_reason("lrp", facts)
    assert reason is not None
    assert reason.endswith("this model runs alone: its forward draws random numbers")


def test_integers_lack_methods_that_need_their_gradient() -> None:
    supported = set(METHOD_NAMES) - unsupported(TOKENS)
    assert WITHOUT_GRADIENTS | {"layer_integrated_gradients", "layer_grad_cam"} <= supported
    assert "use layer_integrated_gradients with layer 'words'" in (unsupported_reason("saliency", TOKENS) or "")


def test_integers_without_one_embedding_name_no_layer() -> None:
    reason = unsupported_reason("saliency", replace(TOKENS, embedding=None))
    assert (reason or "").endswith("layer_integrated_gradients at the layer that turns them into vectors")
    no_embedding = replace(TOKENS, embedding=None, has_embedding=False)
    assert "enter no nn.Embedding" in (unsupported_reason("layer_grad_cam", no_embedding) or "")


def test_outputs_without_a_gradient_leave_methods_that_perturb() -> None:
    facts = replace(PICTURES, no_gradient="cut")
    assert not WITHOUT_GRADIENTS & unsupported(facts)
    assert unsupported_reason("integrated_gradients", facts) == "cut"
    assert unsupported_reason("layer_grad_cam", facts) is None, "a gradient may lead to a layer"


@pytest.mark.parametrize(
    ("method", "reach", "said"),
    [
        ("layer_grad_cam", Reach({"a": ["output"]}, {}, {}, (("a", "output"),)), "from the model's outputs to it"),
        ("neuron_gradient", Reach({}, {"a": ["output"]}, {}, (("a", "output"),)), "from it to the model's inputs"),
    ],
)
def test_methods_at_a_layer_need_one_that_a_gradient_reaches(method: str, reach: Reach, said: str) -> None:
    assert said in (unsupported_reason(method, replace(PICTURES, reach=reach)) or "")
    reached = replace(reach, sides=(*reach.sides, ("b", "output")))
    assert unsupported_reason(method, replace(PICTURES, reach=reached)) is None


def test_layers_texts_and_pictures() -> None:
    assert unsupported_reason("layer_activation", replace(PICTURES, no_layers="none here")) == "none here"
    assert unsupported_reason("saliency", replace(PICTURES, no_layers="none here")) is None
    text = replace(PICTURES, text=True, pictures=False)
    assert unsupported(text) == {"feature_permutation", "layer_feature_permutation", "guided_grad_cam"}


@pytest.mark.parametrize(
    ("family", "methods"),
    [
        ("deep_lift", {"deep_lift", "deep_lift_shap", "layer_deep_lift_shap", "neuron_deep_lift"}),
        ("guided", {"guided_backprop", "deconvolution", "guided_grad_cam", "neuron_deconvolution"}),
        ("lrp", {"lrp", "layer_lrp"}),
    ],
)
def test_a_defect_counts_for_its_whole_family(family: str, methods: set[str]) -> None:
    facts = replace(PICTURES, defects={family: "wrong here"})
    assert methods <= unsupported(facts)
    assert {unsupported_reason(name, facts) for name in unsupported(facts)} == {"wrong here"}
    assert "saliency" not in unsupported(facts)
