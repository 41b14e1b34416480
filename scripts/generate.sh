#!/usr/bin/env bash
# Generates src/gen/: Envoy's API (the files that scripts/envoy-protos.txt lists) and our own (all of proto/), as
# JavaScript with type declarations, and src/gen/descriptors.binpb, our own API as gRPC reflection serves it.
# Does only what its inputs make necessary; --force does it all.

source "$(dirname "$0")/lib.sh"
one_at_a_time
[ "${1:-}" = --force ] && rm -f "$stamps"/gen-*

generator=(buf.gen.yaml scripts/generate.sh node_modules/@bufbuild/protoc-gen-es/package.json)

# replace FOLDER...: puts freshly generated folders into src/gen, where an old one may stand.
replace() {
  mkdir -p src/gen
  for folder; do
    rm -rf "src/gen/$folder"
    mv "$fresh_out/src/gen/$folder" "src/gen/$folder"
  done
}

# generate INPUT OPTION...: runs the generator into a temporary folder, so that a failure leaves src/gen as it was.
generate() {
  fresh_out=$(mktemp -d "$tools/gen.XXXXXX")
  trap 'rm -rf "$fresh_out"' EXIT
  buf generate "$@" --output "$fresh_out"
}

generate_envoy() {
  local inputs
  inputs=$(hash_of scripts/envoy-protos.txt scripts/envoy_descriptors.py scripts/requirements.txt "${generator[@]}")
  fresh gen-envoy "$inputs" && [ -d src/gen/envoy ] && return
  say "generating Envoy's API into src/gen"
  "$tools/venv/bin/python" scripts/envoy_descriptors.py scripts/envoy-protos.txt "$tools/envoy.binpb" >/dev/null
  generate "$tools/envoy.binpb" --exclude-path google/protobuf
  replace $(ls "$fresh_out/src/gen")
  done_for gen-envoy "$inputs"
}

generate_own() {
  local protos inputs
  mapfile -t protos < <(find proto -name '*.proto' | LC_ALL=C sort)
  inputs=$(hash_of buf.yaml "${generator[@]}" ${protos[@]+"${protos[@]}"})
  fresh gen-own "$inputs" && [ -f src/gen/descriptors.binpb ] && return
  [ ${#protos[@]} -gt 0 ] || return 0
  say "generating our own API (${#protos[@]} files) into src/gen"
  generate
  buf build --as-file-descriptor-set -o "$fresh_out/src/gen/descriptors.binpb"
  replace $(ls "$fresh_out/src/gen")
  done_for gen-own "$inputs"
}

generate_envoy
generate_own
