# uv is fetched and removed in the layer that it makes, so that it makes the image no larger.
ARG BASE
FROM ${BASE}
LABEL dev.esteira.bench=RUN_ID
WORKDIR /app
COPY requirements.wheels .
RUN python3.8 -c "import urllib.request; urllib.request.urlretrieve('WHEELS_URLuv', '/tmp/uv')" && chmod 755 /tmp/uv \
    && /tmp/uv pip install --quiet --no-cache --python /usr/local/bin/python3.8 --compile-bytecode \
    --require-hashes --no-index --find-links WHEELS_URL -r requirements.wheels && rm /tmp/uv
COPY esteira esteira
COPY pipeline pipeline
ENV PYTHONPATH=/app PYTHONUNBUFFERED=1 HOME=/tmp USER=esteira TF_CPP_MIN_LOG_LEVEL=1
USER 65532:65532
CMD ["python"]
