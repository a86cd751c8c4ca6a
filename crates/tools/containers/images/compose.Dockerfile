# Docker Compose 2, for engines of distributions that have only the first.
ARG DEBIAN=molt-local/debian:trixie
FROM ${DEBIAN}
RUN apt-get update && apt-get install --yes --no-install-recommends docker-compose docker-cli \
    && rm -rf /var/lib/apt/lists/*
ENTRYPOINT ["docker-compose"]
