# docker build -t wheelhouse .
# docker run -d --name wheelhouse -p 9000:9000 --read-only --cap-drop ALL --security-opt no-new-privileges \
#   --group-add "$(stat -c %g /var/run/docker.sock)" -v /var/run/docker.sock:/var/run/docker.sock \
#   -v wheelhouse:/data wheelhouse

FROM rust:1.95-bookworm AS build
WORKDIR /build
COPY Cargo.toml Cargo.lock build.rs askama.toml ./
COPY src src
COPY templates templates
COPY static static
# A static binary needs nothing in the image beside it. With a target named, build scripts and macros stay dynamic, as they
# must. getrandom would look for its system call with dlsym, which a static binary has not, and want /dev/urandom instead.
ENV RUSTFLAGS="-C target-feature=+crt-static --cfg getrandom_backend=\"linux_getrandom\""
RUN target="$(uname -m)-unknown-linux-gnu" \
 && cargo build --release --locked --bin wheelhouse --target "$target" \
 && cp "target/$target/release/wheelhouse" /wheelhouse && mkdir -p -m 700 /own/data

FROM scratch
LABEL org.opencontainers.image.title="Wheelhouse" \
      org.opencontainers.image.description="A web console for a Docker engine" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=build /wheelhouse /wheelhouse
# What the console keeps: a volume of this has the right owner from the start.
COPY --from=build --chown=65532:65532 /own /
VOLUME /data
# Nobody's number. The engine's socket is opened by its group: --group-add.
USER 65532:65532
# Hashing a password takes 19 MiB for a moment: with a fixed threshold the C library gives them back.
ENV WHEELHOUSE_LISTEN=0.0.0.0:9000 WHEELHOUSE_DATA=/data GLIBC_TUNABLES=glibc.malloc.mmap_threshold=262144
EXPOSE 9000
HEALTHCHECK --interval=15s --timeout=5s --start-period=5s CMD ["/wheelhouse", "healthcheck"]
ENTRYPOINT ["/wheelhouse"]
