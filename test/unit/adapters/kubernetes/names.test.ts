import fc from 'fast-check';
import { expect, test } from 'vitest';
import { objectName } from '../../../../src/adapters/kubernetes/names.ts';
import { serviceName, versionName } from '../../../../src/model/names.ts';

const name = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/);
const of = (service: string, version: string): string =>
  objectName(serviceName(service), versionName(version));

test('names tell a reader the service and the version', () => {
  expect(of('manager', 'v42')).toMatch(/^manager-v42-[0-9a-f]{8}$/);
  expect(of('manager', '1.8.3')).toMatch(/^manager-1-8-3-[0-9a-f]{8}$/);
  expect(of('1st', 'v1')).toMatch(/^s-1st-v1-[0-9a-f]{8}$/);
});

test('versions that differ only in what a name cannot have, or beyond where it is cut, have different names', () => {
  expect(of('manager', '1.8')).not.toBe(of('manager', '1-8'));
  expect(of('a-b', 'c')).not.toBe(of('a', 'b-c'));
  const long = 'x'.repeat(62);
  expect(of(long, `${long}1`)).not.toBe(of(long, `${long}2`));
});

test('every name is a label of DNS that begins with a letter, as the name of a Service must be', () => {
  fc.assert(
    fc.property(name, name, (service, version) => {
      expect(of(service, version)).toMatch(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])$/);
    }),
  );
});
