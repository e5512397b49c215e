# Two images from one file: `--target gateway`, without torch, and `--target worker`. Neither holds a model repository: it is
# mounted at /models. A third, `--target models`, holds the folder `models` and nothing that runs: docs/kubernetes.md.
#
# The base image needs Python 3.11 or newer with venv. Torch comes with the CUDA libraries that it needs; the driver is the
# machine's. Which build of torch the worker gets is decided by the index that it comes from:
#   docker build --target worker --build-arg TORCH_INDEX=<PyTorch's index for CPU, or for one CUDA> -t attribution-worker .
# Without TORCH_INDEX it is the build of pip's own index. docs/containers.md says how large the images get.
ARG BASE_IMAGE=python:3.11-slim

# Virtual environments are made here and copied as a whole, so no build tool and no cache gets into an image.
FROM ${BASE_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python3 -m venv /opt/attribution
WORKDIR /build
COPY pyproject.toml constraints.txt docker/requirements.py ./
COPY client/pyproject.toml client/pyproject.toml

FROM build AS wheel
COPY README.md LICENSE ./
COPY broker broker
COPY cli cli
COPY client client
COPY schemas schemas
COPY service service
COPY workers workers
RUN /opt/attribution/bin/pip wheel --no-deps --wheel-dir /wheels . ./client

# Dependencies before code, so that their layer is rebuilt only when they change.
FROM build AS gateway-environment
RUN python3 requirements.py gateway cli tracing > requirements.txt \
    && /opt/attribution/bin/pip install --constraint constraints.txt --requirement requirements.txt
COPY --from=wheel /wheels /wheels
RUN /opt/attribution/bin/pip install --no-deps /wheels/*.whl && /opt/attribution/bin/pip uninstall --yes pip

FROM build AS worker-environment
# By itself, because it is most of the image and changes least.
ARG TORCH_INDEX=
RUN /opt/attribution/bin/pip install --constraint constraints.txt ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch
RUN python3 requirements.py worker models cli tracing > requirements.txt \
    && /opt/attribution/bin/pip install --constraint constraints.txt --requirement requirements.txt
COPY --from=wheel /wheels /wheels
RUN /opt/attribution/bin/pip install --no-deps /wheels/*.whl && /opt/attribution/bin/pip uninstall --yes pip

FROM ${BASE_IMAGE} AS runtime
RUN groupadd --gid 10001 attribution \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin attribution
ENV PATH=/opt/attribution/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
# Containers log each request and each job; a first run at a terminal is quiet.
ENV ATTRIBUTION_LOG_LEVEL=info
WORKDIR /
STOPSIGNAL SIGTERM

FROM ${BASE_IMAGE} AS models
COPY models /repository
USER 10001:10001

FROM runtime AS gateway
COPY --from=gateway-environment /opt/attribution /opt/attribution
COPY docker/gateway_health.py /opt/attribution/
USER 10001:10001
ENV ATTRIBUTION_HOST=0.0.0.0 ATTRIBUTION_PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python3", "/opt/attribution/gateway_health.py"]
CMD ["attribution", "gateway"]

FROM runtime AS worker
COPY --from=worker-environment /opt/attribution /opt/attribution
# A new volume that is mounted here takes over the owner.
RUN install --directory --owner=10001 --group=10001 --mode=700 /var/lib/attribution
USER 10001:10001
ENV ATTRIBUTION_MODELS=/models
HEALTHCHECK --interval=15s --timeout=10s --start-period=120s --retries=3 \
    CMD ["attribution", "worker", "--health"]
CMD ["attribution", "worker"]
