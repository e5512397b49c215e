"""The service in MLflow: an evaluator that explains a sample of a data set, and `log_explanation` for one result.

    mlflow.models.evaluate(
        data=frame,
        model_type="classifier",
        targets="label",
        evaluators=["attribution"],
        evaluator_config={"attribution": {"model": "breast-cancer-mlp", "method": "integrated_gradients"}},
    )

Needs `pip install attribution-client[mlflow]`.
"""

from attribution_client.mlflow.evaluator import AttributionEvaluator
from attribution_client.mlflow.single import log_explanation

__all__ = ["AttributionEvaluator", "log_explanation"]
