# The image of understudy: one static binary on nothing.
FROM golang:1.26-bookworm AS build
# Where modules come from; empty: as Go does by itself.
ARG GOPROXY
WORKDIR /src
# The modules change less often than the code: this layer stays.
COPY go.mod go.sum ./
RUN if [ -z "$GOPROXY" ]; then unset GOPROXY; fi; go mod download
COPY . .
ARG VERSION=dev
ARG COMMIT=unknown
RUN if [ -z "$GOPROXY" ]; then unset GOPROXY; fi; \
    CGO_ENABLED=0 go build -trimpath -buildvcs=false \
      -ldflags "-s -w -X main.version=${VERSION} -X main.commit=${COMMIT}" \
      -o /image/usr/local/bin/understudy ./cmd/understudy
# What else the image has: a user, certificates where the base has them, and mount points that the user may read. Into
# /tls it may write as well: the CA of the TLS door is made there at the first start, and no key is in the image.
RUN mkdir -p /image/etc/ssl/certs /mount/scenarios /mount/fixtures /mount/tls && \
    echo 'understudy:x:65532:65532:understudy:/:/sbin/nologin' >/image/etc/passwd && \
    echo 'understudy:x:65532:' >/image/etc/group && \
    if [ -f /etc/ssl/certs/ca-certificates.crt ]; then cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/; fi

FROM scratch
ARG VERSION=dev
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="understudy" \
      org.opencontainers.image.description="Stands in for documented HTTP APIs: answers, checks and fails as the real services do" \
      org.opencontainers.image.source="https://github.com/understudy-suite/understudy" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
COPY --from=build /image/ /
COPY --from=build --chown=65532:65532 /mount/ /
# Publishing a port is the operator's act; inside of the container every address is open.
ENV PATH=/usr/local/bin \
    UNDERSTUDY_BIND=:: \
    UNDERSTUDY_CONTROL_BIND=:: \
    UNDERSTUDY_EXPOSE_CONTROL_WITHOUT_TOKEN=true \
    UNDERSTUDY_SCENARIOS=/scenarios \
    UNDERSTUDY_FIXTURES=/fixtures \
    UNDERSTUDY_TLS=true \
    UNDERSTUDY_TLS_DIR=/tls
USER 65532:65532
EXPOSE 6400 6410-6415 6420
HEALTHCHECK --interval=1s --timeout=2s --retries=10 CMD ["/usr/local/bin/understudy", "health"]
ENTRYPOINT ["/usr/local/bin/understudy"]
CMD ["serve"]
