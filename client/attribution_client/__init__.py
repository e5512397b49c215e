"""The client of the attribution service: how much did each input contribute to this prediction?

    from attribution_client import Client

    with Client("http://127.0.0.1:8000") as service:
        result = service.explain("cat.jpg", model="efficientnet-lite0", method="integrated_gradients")
        result.values  # numpy, in the shape of the input

`AsyncClient` is the same for event loops. `errors` has every error in one tree.
"""

from attribution_client import errors
from attribution_client.async_client import AsyncClient
from attribution_client.client import Client
from attribution_client.comparison import AsyncComparisonResult, ComparisonResult
from attribution_client.core.explaining import Submission
from attribution_client.core.sending import Retries
from attribution_client.errors import AttributionError, InputError, InvalidRequest, JobError, ServiceError, Unreachable
from attribution_client.result import AsyncResult, Result

__all__ = [
    "AsyncClient",
    "AsyncComparisonResult",
    "AsyncResult",
    "AttributionError",
    "Client",
    "ComparisonResult",
    "InputError",
    "InvalidRequest",
    "JobError",
    "Result",
    "Retries",
    "ServiceError",
    "Submission",
    "Unreachable",
    "errors",
]
