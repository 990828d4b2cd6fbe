# The ordinary one: what changes least comes first.
ARG BASE
FROM ${BASE}
LABEL dev.esteira.bench=RUN_ID
WORKDIR /app
COPY requirements.wheels .
RUN python3.8 -m pip install --quiet --no-cache-dir --disable-pip-version-check --root-user-action ignore \
    --require-hashes --no-index --find-links WHEELS_URL -r requirements.wheels
COPY esteira esteira
COPY pipeline pipeline
ENV PYTHONPATH=/app PYTHONUNBUFFERED=1 HOME=/tmp USER=esteira TF_CPP_MIN_LOG_LEVEL=1
USER 65532:65532
CMD ["python"]
