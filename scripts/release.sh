#!/usr/bin/env bash
# Keeps this tree's package in test/releases as the last release, in place of the one before. Run once for a release, in the
# commit that is the release: docs/releasing.md.

source "$(dirname "$0")/lib.sh"
version=$(node -p 'JSON.parse(fs.readFileSync("package.json", "utf8")).version')
grep -qF "## [$version]" CHANGELOG.md ||
  fail "CHANGELOG.md has no section [$version]" "edit it: what is under [Unreleased] is what this release brings"
[ -f "test/golden/listeners/$version.yaml" ] ||
  fail "the listeners of $version are not kept" 'UPDATE_GOLDEN=1 npx vitest run --project=fast test/golden/listeners.test.ts'
bash scripts/build.sh
package=$(npm pack --silent --ignore-scripts --pack-destination test/releases)
find test/releases -name 'switchyard-*.tgz' ! -name "$package" -delete
echo "test/releases/$package is the last release now"
