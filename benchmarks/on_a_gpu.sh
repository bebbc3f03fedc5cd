#!/usr/bin/env bash
# Everything that is to be measured on a GPU, in at most nine minutes: bash benchmarks/on_a_gpu.sh
# It needs Python 3.11 or newer with torch, and this checkout, and no network (benchmarks/on_a_gpu/__init__.py says more).
set -euo pipefail
cd "$(dirname "$0")/.."
exec "${PYTHON:-python3}" -m benchmarks.on_a_gpu "$@"
