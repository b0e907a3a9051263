#!/usr/bin/env bash
# Renders and judges the chart and the manifests made from it: tests/deploy/helm.sh [--update]
# Takes what tests/run installs; the exporter is target/debug/asyncos_exporter unless EXPORTER names another.
set -euo pipefail

CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

export GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$PWD/target/tools/go-cache
go build -o target/tools/render ./tests/deploy/helm
target/tools/venv/bin/python tests/deploy/helm/check.py \
    target/tools/render "${EXPORTER:-target/debug/asyncos_exporter}" "$@"
