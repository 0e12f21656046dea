#!/usr/bin/env bash
# Gives the images of all platforms one tag, and prints the image with its digest: join.sh NAME VERSION.
set -euo pipefail
name=$1 version=$2

docker buildx imagetools create --tag "$name:$version" "$name:$version-amd64" "$name:$version-arm64" >&2
digest=$(docker buildx imagetools inspect "$name:$version" --format '{{.Manifest.Digest}}')
echo "$name:$version@$digest"
