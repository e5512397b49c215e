"""Perturbation methods of the shared lane, over the forward seam."""

import captum.attr as captum

from schemas import methods as spec
from workers.engine.seams import Seams
from workers.methods.calls import SharedCalls
from workers.methods.explain_inputs import ExplainInputs, Tensors, captum_target, chunk_rows, detached
from workers.methods.perturbation.ablation import feature_ablation
from workers.methods.perturbation.occlusion import occlusion
from workers.methods.perturbation.shapley import shapley_value_sampling, shapley_values
from workers.methods.perturbation.surrogates import kernel_shap, lime


def feature_permutation(
    method: spec.FeaturePermutation, seams: Seams, subject: ExplainInputs, batch_rows: int
) -> Tensors:
    return detached(
        captum.FeaturePermutation(seams.forward).attribute(
            subject.inputs,
            feature_mask=subject.feature_mask,
            target=captum_target(subject.targets),
            additional_forward_args=subject.additional_forward_args or None,
            perturbations_per_eval=max(1, chunk_rows(batch_rows, 1) // subject.examples),
        )
    )


CALLS: SharedCalls = {
    spec.Occlusion: occlusion,
    spec.FeatureAblation: feature_ablation,
    spec.FeaturePermutation: feature_permutation,
    spec.ShapleyValueSampling: shapley_value_sampling,
    spec.ShapleyValues: shapley_values,
    spec.KernelShap: kernel_shap,
    spec.Lime: lime,
}
