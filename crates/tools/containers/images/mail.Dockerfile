# In place of Mailpit: a mail server that keeps what it gets, and shows it as files on port 8025.
ARG DEBIAN=molt-local/debian:bookworm
FROM ${DEBIAN}
RUN apt-get update && apt-get install --yes --no-install-recommends python3 python3-aiosmtpd \
    && rm -rf /var/lib/apt/lists/*
USER 65532:65532
WORKDIR /tmp
EXPOSE 1025 8025
ENTRYPOINT ["sh", "-c", "python3 -m aiosmtpd -n -l 0.0.0.0:1025 -c aiosmtpd.handlers.Mailbox /tmp/mail & mkdir -p /tmp/mail/new; exec python3 -m http.server --directory /tmp/mail/new 8025"]
