# In place of the official image `python`: Debian's, in a virtual environment that has `python` and
# `pip` in its path.
ARG DEBIAN=molt-local/debian:bookworm
FROM ${DEBIAN}
RUN apt-get update && apt-get install --yes --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/* && python3 -m venv /usr/local/python
ENV PATH=/usr/local/python/bin:/usr/bin:/bin PIP_CERT=/etc/ssl/certs/ca-certificates.crt
