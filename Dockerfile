# One image for the starter and the worker; docker-compose.yml says which to run.
FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore

WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE worker.py starter.py ./
COPY tobiishi ./tobiishi
COPY workflows ./workflows
COPY activities ./activities
COPY deploy/worker_health.py ./deploy/worker_health.py
RUN pip install --constraint constraints.txt setuptools \
 && pip install --constraint constraints.txt --no-build-isolation . \
 && useradd --system --no-create-home tobiishi

USER tobiishi
EXPOSE 8000
CMD ["python", "starter.py"]
