# The base of Rust with another release profile: programs that are compiled in a fraction of the time.
# What is checked of their images is not their speed.
ARG RUST_IMAGE
FROM ${RUST_IMAGE}
ENV CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=64 CARGO_PROFILE_RELEASE_OPT_LEVEL=1
