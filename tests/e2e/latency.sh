#!/bin/bash
# latency.sh [BUILD]: key press to paint on the Label page, at rest and while PPO
# uses every core. BUILD is the build's folder, build/release if none is given.
#
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(realpath "${1:-$here/../../build/release}")

export LAUREL="$build/app/laurel" LAURELCTL="$build/app/laurelctl"
export GSETTINGS_SCHEMA_DIR="$build/data" PYTHONDONTWRITEBYTECODE=1
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-$(nproc)}"
exec dbus-run-session -- xvfb-run -a -n 200 -s "-screen 0 1600x1000x24 -noreset" \
  /usr/bin/python3 "$here/latency.py"
