#!/bin/sh
# Installs, on Debian or Ubuntu and as root, the programs that nobody here wrote and that tests hold the images against:
# a registry, engines, other builders.
set -eu

missing=
for program in buildah dockerd:docker.io docker-registry faketime mmdebstrap skopeo umoci; do
    command -v "${program%%:*}" >/dev/null || missing="$missing ${program##*:}"
done
if [ -n "$missing" ]; then
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi
