// The custom resource refuses what the parser of documents refuses, and takes what it takes: a real API server is asked.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { CRD_FOLDER } from '../../scripts/crds/crds.ts';
import type { Kind } from '../../src/adapters/kubernetes/client/objects.ts';
import { serviceDocument } from '../../src/spec/format.ts';
import { parseServices } from '../../src/spec/parse.ts';
import { BAD, documentWith } from '../support/kubernetes/bad-services.ts';
import { type Definition, install, refusal } from '../support/kubernetes/custom-resources.ts';
import { type TestNamespace, testNamespace } from '../support/kubernetes/shared-cluster.ts';
import { full } from '../support/seed.ts';
import { anySpec } from '../support/specs.ts';

const VERSIONED_SERVICE: Kind = {
  group: 'switchyard.dev',
  version: 'v1alpha1',
  kind: 'VersionedService',
  plural: 'versionedservices',
  scope: 'Namespaced',
};

let place: TestNamespace;
let installed: Promise<void> | undefined;
beforeEach(async () => {
  place = await testNamespace();
  const text = readFileSync(`${CRD_FOLDER}/switchyard.dev_versionedservices.yaml`, 'utf8');
  installed ??= install(place, parse(text) as Definition);
  await installed;
});

describe('a VersionedService', () => {
  test('that the parser takes is taken', async () => {
    await fc.assert(
      fc.asyncProperty(anySpec, async (spec) => {
        // An object's name is more limited than that of a service.
        const document = { ...(serviceDocument(spec) as object), metadata: { name: 'manager' } };
        const error = await refusal(place, VERSIONED_SERVICE, document);
        if (error !== undefined) throw error;
      }),
      { numRuns: full() ? 500 : 60 },
    );
  });

  test.each(Object.entries(BAD))('with %s is refused by both', async (_, spec) => {
    const document = JSON.parse(JSON.stringify(documentWith(spec))) as object;
    const { problems } = parseServices({ file: 'a.json', text: JSON.stringify(document) });
    const error = await refusal(place, VERSIONED_SERVICE, document);
    expect({ parser: problems.length > 0, server: error !== undefined }).toEqual({
      parser: true,
      server: true,
    });
  });

  test('as small as it can be is taken by both', async () => {
    const document = documentWith({});
    expect(parseServices({ file: 'a.json', text: JSON.stringify(document) }).problems).toEqual([]);
    expect(await refusal(place, VERSIONED_SERVICE, document)).toBeUndefined();
  });
});
