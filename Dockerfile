# The API, the CPU worker and Flower: one image without torch; the command decides which.
# The base is pinned by version. Pin it by digest too where you mirror it: `docker buildx imagetools inspect`
# prints the digest.
FROM python:3.11.15-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# What brings messages to workers: celery or arq. Commands differ: see docs/queues.md.
ARG QUEUE=celery
WORKDIR /src
RUN python -m venv /opt/venv
# Upscaling is for CPU workers. Where there is nothing to upscale with: --build-arg EXTRAS=
ARG EXTRAS=upscale
# Dependencies first, from a project with no code in it: this layer lives until pyproject.toml changes.
COPY pyproject.toml ./
RUN touch README.md LICENSE && /opt/venv/bin/pip install ".[$QUEUE${EXTRAS:+,$EXTRAS}]"
COPY . .
RUN /opt/venv/bin/pip install --no-deps --force-reinstall .

FROM python:3.11.15-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home --shell /usr/sbin/nologin darkroom \
    && install -d -o darkroom -g darkroom /data
COPY --from=build /opt/venv /opt/venv
COPY deploy/create_bucket.py /opt/darkroom/create_bucket.py
# A container is reached from outside it, so the API binds every address, and then refuses to start without keys.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DARKROOM_HOST=0.0.0.0 \
    DARKROOM_PORT=8000 \
    DARKROOM_DATA_DIR=/data \
    DARKROOM_LOG_FORMAT=json
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['DARKROOM_PORT'] + '/healthz', timeout=4)"]
ENTRYPOINT ["tini", "--"]
CMD ["python", "-m", "api"]
