# As uv's guide for Docker has it: uv bound into the step, its cache mounted, so that a bump unpacks one wheel.
ARG BASE
FROM ${BASE}
LABEL dev.esteira.bench=RUN_ID
WORKDIR /app
RUN --mount=type=bind,source=uv,target=/tmp/uv \
    --mount=type=bind,source=requirements.wheels,target=/tmp/requirements.wheels \
    --mount=type=cache,id=RUN_ID,target=/root/.cache/uv \
    UV_LINK_MODE=copy /tmp/uv pip install --quiet --python /usr/local/bin/python3.8 --compile-bytecode \
    --require-hashes --no-index --find-links WHEELS_URL -r /tmp/requirements.wheels
COPY esteira esteira
COPY pipeline pipeline
ENV PYTHONPATH=/app PYTHONUNBUFFERED=1 HOME=/tmp USER=esteira TF_CPP_MIN_LOG_LEVEL=1
USER 65532:65532
CMD ["python"]
