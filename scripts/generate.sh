#!/usr/bin/env bash
# Generates src/gen/: Envoy's API (the files that scripts/envoy-protos.txt lists) and our own (all of proto/), as
# JavaScript with type declarations, and src/gen/descriptors.binpb, our own API as gRPC reflection serves it.
# Called by setup.sh. Does only what its inputs make necessary.

source "$(dirname "$0")/lib.sh"
one_at_a_time

generator=(buf.gen.yaml scripts/generate.sh node_modules/@bufbuild/protoc-gen-es/package.json)
output=$(mktemp -d "$tools/gen.XXXXXX")
trap 'rm -rf "$output"' EXIT

# replace NAME: puts what was generated in place of what NAME generated last. Until here src/gen stays as it was.
replace() {
  local previous=$stamps/$1.folders entry
  mkdir -p src/gen
  for entry in $(cat "$previous" 2>/dev/null); do rm -rf "src/gen/$entry"; done
  ls "$output/src/gen" >"$previous"
  for entry in $(cat "$previous"); do
    rm -rf "src/gen/$entry"
    mv "$output/src/gen/$entry" "src/gen/$entry"
  done
}

envoy_api() {
  local inputs
  inputs=$(hash_of scripts/envoy-protos.txt scripts/envoy_descriptors.py scripts/requirements.txt "${generator[@]}")
  fresh gen-envoy "$inputs" && [ -d src/gen/envoy ] && return
  say "generating Envoy's API into src/gen"
  "$tools/venv/bin/python" scripts/envoy_descriptors.py scripts/envoy-protos.txt "$output/envoy.binpb"
  buf generate "$output/envoy.binpb" --exclude-path google/protobuf --output "$output"
  replace gen-envoy
  done_for gen-envoy "$inputs"
}

own_api() {
  local protos inputs
  mapfile -t protos < <(find proto -name '*.proto' | LC_ALL=C sort)
  inputs=$(hash_of buf.yaml "${generator[@]}" "${protos[@]}")
  fresh gen-own "$inputs" && [ -f src/gen/descriptors.binpb ] && return
  say "generating our own API into src/gen (${#protos[@]} files)"
  buf generate --output "$output"
  buf build --as-file-descriptor-set --output "$output/src/gen/descriptors.binpb"
  replace gen-own
  done_for gen-own "$inputs"
}

envoy_api
own_api
