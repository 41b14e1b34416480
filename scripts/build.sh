#!/usr/bin/env bash
# Builds dist/, what the published package and the container image run: src/ as JavaScript with declarations.
# src/gen is JavaScript already and is copied along.

source "$(dirname "$0")/lib.sh"
bash scripts/setup.sh
rm -rf dist
tsc --project tsconfig.build.json
cp -r src/gen dist/gen
echo "dist: $(find dist -name '*.js' | wc -l) files"
