// The CustomResourceDefinitions in manifests/ are what the protos and the table of rules say now.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CRD_FOLDER, crdFiles } from '../../../scripts/crds/crds.ts';

test.each(crdFiles().map(({ file, text }) => [file, text] as const))(
  '%s is up to date (run: npm run crds)',
  (file, text) => {
    expect(readFileSync(join(CRD_FOLDER, file), 'utf8')).toBe(text);
  },
);

test('there is no file of a kind that is gone', () => {
  const there = readdirSync(CRD_FOLDER).filter((file) => file !== 'kustomization.yaml');
  expect(there.toSorted()).toEqual(
    crdFiles()
      .map(({ file }) => file)
      .toSorted(),
  );
});
