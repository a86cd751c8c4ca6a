# In place of the official image `postgres`: Debian's packages, and the same settings of the
# environment as far as they are used here.
ARG DEBIAN=molt-local/debian:trixie
FROM ${DEBIAN}
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql-17 \
    && rm -rf /var/lib/apt/lists/* /var/lib/postgresql/17
COPY docker-entrypoint.sh /usr/local/bin/
ENV PATH=/usr/lib/postgresql/17/bin:/usr/local/bin:/usr/bin:/bin PGDATA=/var/lib/postgresql/data
VOLUME /var/lib/postgresql/data
EXPOSE 5432
# A fast shutdown: sessions are ended, and nothing that was committed is lost.
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
