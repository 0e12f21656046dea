#!/usr/bin/env bash
# Prints the base images of the Dockerfile with the digests that their tags have now, in one line:
# `NODE_IMAGE=image:tag@sha256:… RUN_IMAGE=image:tag@sha256:…`.
set -euo pipefail
cd "$(dirname "$0")/../.."

sed -n 's/^ARG \([A-Z_]*_IMAGE\)=\(.*\)$/\1 \2/p' Dockerfile | while read -r argument image; do
  digest=$(docker buildx imagetools inspect "$image" --format '{{.Manifest.Digest}}' </dev/null)
  echo "$argument=$image@$digest"
done | paste -sd ' '
