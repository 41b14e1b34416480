import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { versionName } from '../../../src/model/names.ts';
import { formatService } from '../../../src/spec/format.ts';
import { parseServices } from '../../../src/spec/parse.ts';
import { UnchangeableDocumentError, withVersion } from '../../../src/spec/with-version.ts';
import { anySpec } from '../../support/specs.ts';

const example = readFileSync('examples/specs/manager-processes.yaml', 'utf8');
const v2 = versionName('v2');

describe('a document with another version', () => {
  test('is the same text but for the value of spec.version', () => {
    expect(withVersion(example, v2)).toBe(example.replace('  version: v1\n', '  version: v2\n'));
  });

  test('keeps comments, line ends and the style of quotes', () => {
    const before = 'spec: # a\r\n  version:   "v1"   # wanted\r\n  x: [ 1,2 ]\r\n';
    expect(withVersion(before, v2)).toBe(before.replace('"v1"', '"v2"'));
    expect(withVersion("spec: {version: 'v1', a: b}", v2)).toBe("spec: {version: 'v2', a: b}");
    expect(withVersion('{"spec": {"version": "v1"}}', v2)).toBe('{"spec": {"version": "v2"}}');
  });

  test('has quotes where YAML would take the version for a number', () => {
    expect(withVersion('spec: {version: v1}', versionName('1.80'))).toBe('spec: {version: "1.80"}');
  });

  test('may have had an alias there', () => {
    expect(withVersion('a: &v v1\nspec:\n  version: *v\n', v2)).toBe('a: &v v1\nspec:\n  version: v2\n');
  });

  test('wants any version of any spec', () => {
    fc.assert(
      fc.property(anySpec, anySpec, (spec, { version }) => {
        const document = withVersion(formatService(spec), version);
        const listed =
          spec.runtime.kind !== 'endpoints' ||
          spec.runtime.file !== undefined ||
          spec.runtime.versions.some(({ name }) => name === version);
        const { services } = parseServices({ file: 'a.yaml', text: document });
        expect(services.map((service) => service.spec)).toEqual(listed ? [{ ...spec, version }] : []);
      }),
    );
  });

  test.each([
    ['has no spec', 'kind: VersionedService\n'],
    ['has no version', 'spec: {listeners: []}\n'],
    ['gives the version an anchor that another field uses', 'spec: {version: &v v1, other: *v}\n'],
  ])('is refused where it %s', (_, document) => {
    expect(() => withVersion(document, v2)).toThrow(UnchangeableDocumentError);
  });
});
