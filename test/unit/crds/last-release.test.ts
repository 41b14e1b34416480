/** Custom resources only gain fields: nothing breaks between the last release's definitions, where it has some, and ours. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { CRD_FOLDER } from '../../../scripts/crds/crds.ts';
import { breakingChanges, type Schema } from '../../support/kubernetes/schema-changes.ts';
import { unpackLastRelease } from '../../support/last-release.ts';

interface Definition {
  readonly spec: { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[] };
}

function schemaIn(file: string): Schema {
  const [version] = (parse(readFileSync(file, 'utf8')) as Definition).spec.versions;
  if (version === undefined) throw new Error(`${file} has no version`);
  return version.schema.openAPIV3Schema;
}

const last = unpackLastRelease();
const ours = globSync(`${CRD_FOLDER}/switchyard.dev_*.yaml`);

test.each(ours)('nothing of the last release is missing or narrower in %s', (file) => {
  const before = join(last.root, CRD_FOLDER, basename(file));
  // 0.1.0 did not run on Kubernetes.
  if (!existsSync(before)) expect(last.version).toBe('0.1.0');
  else expect(breakingChanges(schemaIn(before), schemaIn(file))).toEqual([]);
});

describe('a break is found:', () => {
  const service = schemaIn(`${CRD_FOLDER}/switchyard.dev_versionedservices.yaml`);
  const changed = (
    change: (spec: { properties: Record<string, Schema>; required: string[] }) => void,
  ): Schema => {
    const copy = structuredClone(service) as { properties: { spec: never } };
    change(copy.properties.spec);
    return copy;
  };

  test.each<[string, Schema, string]>([
    ['a field that is gone', changed(({ properties }) => delete properties['group']), '.spec.group is gone'],
    [
      'a field of another type',
      changed(({ properties }) => {
        properties['version'] = { ...properties['version'], type: 'integer' };
      }),
      '.spec.version was string, and is integer',
    ],
    [
      'a field that must be there now',
      changed(({ required }) => required.push('group')),
      '.spec.group must be there now',
    ],
    [
      'a limit that is narrower',
      changed(({ properties }) => {
        properties['version'] = { ...properties['version'], maxLength: 3 };
      }),
      '.spec.version has maxLength 3',
    ],
  ])('%s', (_, after, message) => {
    expect(breakingChanges(service, after).join('\n')).toContain(message);
    expect(breakingChanges(service, service)).toEqual([]);
  });

  test('and a field that comes is none', () => {
    const after = changed(({ properties }) => {
      properties['later'] = { type: 'string' };
    });
    expect(breakingChanges(service, after)).toEqual([]);
    expect(breakingChanges(after, service)).toEqual(['.spec.later is gone']);
  });
});
