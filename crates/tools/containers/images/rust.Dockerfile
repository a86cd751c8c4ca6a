# In place of the official image `rust`: a C compiler from Debian, and the toolchain of this machine,
# which is the build context.
ARG DEBIAN=molt-local/debian:bookworm
FROM ${DEBIAN}
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
COPY bin /usr/local/bin
COPY lib /usr/local/lib
ENV CARGO_HOME=/usr/local/cargo PATH=/usr/local/cargo/bin:/usr/local/bin:/usr/bin:/bin
