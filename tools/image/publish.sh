#!/usr/bin/env bash
# Builds the image of one platform and pushes it with its SBOM and its provenance: publish.sh NAME VERSION PLATFORM BASE...
# Each BASE is a build argument, as bases.sh prints them.
set -euo pipefail
cd "$(dirname "$0")/../.."
name=$1 version=$2 platform=$3
shift 3

docker buildx build . --push --platform "$platform" --tag "$name:$version-${platform#*/}" \
  "${@/#/--build-arg=}" --sbom=true --provenance=mode=max \
  --label "org.opencontainers.image.version=$version" \
  --label "org.opencontainers.image.revision=${GITHUB_SHA:-unknown}" \
  --label "org.opencontainers.image.source=${GITHUB_SERVER_URL:-}/${GITHUB_REPOSITORY:-}"
