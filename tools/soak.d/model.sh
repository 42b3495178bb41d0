#!/usr/bin/env bash
# The model with every fault meeting every other: some minutes, up to 12 GB. Needs spin.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
exec "$root/tests/model/run" --full
