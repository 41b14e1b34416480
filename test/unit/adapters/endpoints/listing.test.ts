/** Which instances follow from the addresses of the spec and of the file. */
import { expect, test } from 'vitest';
import { type ListingInput, listInstances } from '../../../../src/adapters/endpoints/listing.ts';
import { instant } from '../../../../src/model/instant.ts';
import { serviceName, versionName } from '../../../../src/model/names.ts';

const V1 = versionName('v1');
const V2 = versionName('v2');

function input(parts: Partial<ListingInput>): ListingInput {
  return {
    service: serviceName('manager'),
    spec: { kind: 'endpoints', versions: [{ name: V1, addresses: [{ host: '10.0.0.1', port: 80 }] }] },
    wanted: [V1],
    listing: undefined,
    fileIsGood: true,
    fileProblems: [],
    since: new Map(),
    now: instant(5000),
    ...parts,
  };
}

test('an address is one ready instance, whose id is made of service, version and address', () => {
  const { instances, problems } = listInstances(input({}));
  expect(problems).toEqual([]);
  expect(instances).toEqual([
    {
      id: 'manager-v1-10.0.0.1:80',
      service: 'manager',
      version: 'v1',
      address: { host: '10.0.0.1', port: 80 },
      state: 'Ready',
      reason: 'listed in the spec',
      since: 5000,
      restarts: 0,
    },
  ]);
});

test('an IPv6 address stands in brackets in the id', () => {
  const spec = {
    kind: 'endpoints' as const,
    versions: [{ name: V1, addresses: [{ host: '::1', port: 80 }] }],
  };
  expect(listInstances(input({ spec })).instances[0]?.id).toBe('manager-v1-[::1]:80');
});

test('an address that is listed twice is one instance', () => {
  const twice = [
    { host: '10.0.0.1', port: 80 },
    { host: '10.0.0.1', port: 80 },
  ];
  const spec = { kind: 'endpoints' as const, versions: [{ name: V1, addresses: twice }] };
  expect(listInstances(input({ spec })).instances).toHaveLength(1);
});

test('a version of both lists has the addresses of the spec, and that is a problem', () => {
  const listing = {
    file: 'e.yaml',
    versions: [{ name: V1, addresses: [{ host: '10.0.0.9', port: 80 }] }],
    kept: [],
  };
  const { instances, problems } = listInstances(input({ listing }));
  expect(instances.map(({ address }) => address.host)).toEqual(['10.0.0.1']);
  expect(problems).toEqual([
    'version v1 is listed in the spec and in e.yaml; the addresses of the spec are used',
  ]);
});

test('versions that are listed but not wanted are offered and have no instances', () => {
  const listing = {
    file: 'e.yaml',
    versions: [{ name: V2, addresses: [{ host: '10.0.0.9', port: 80 }] }],
    kept: [],
  };
  const { instances, offered } = listInstances(input({ listing }));
  expect(offered).toEqual(['v1', 'v2']);
  expect(instances.map(({ version }) => version)).toEqual(['v1']);
});

test('a wanted version that no list names is a problem that says where it was looked for', () => {
  expect(listInstances(input({ wanted: [V2] })).problems).toEqual([
    'version v2 has no addresses: the spec does not list it',
  ]);
  const spec = { kind: 'endpoints' as const, versions: [], file: 'e.yaml' };
  expect(listInstances(input({ wanted: [V2], spec })).problems).toEqual([
    'version v2 has no addresses: neither the spec nor e.yaml lists it',
  ]);
});

test('an instance that stays listed keeps its time', () => {
  const since = new Map([['manager-v1-10.0.0.1:80', instant(1000)]]);
  expect(listInstances(input({ since })).instances[0]?.since).toBe(1000);
});
