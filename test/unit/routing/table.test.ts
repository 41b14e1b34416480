import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import { tenantName, versionName } from '../../../src/model/names.ts';
import { serviceRoutes, weightOf } from '../../../src/routing/table.ts';
import { anInstance, aRecord, aVersion } from '../../support/records.ts';

const v1 = versionName('v1');
const v2 = versionName('v2');
const shifting = { kind: 'shifting', primary: v1, candidate: v2, weight: 30, salt: 's' } as const;
const ramping = [aVersion('v1', { state: 'Primary' }), aVersion('v2', { state: 'Ramping' })];

test('an endpoint has the zone of its instance; without one it is an address and nothing more', () => {
  const [zoned, plain] = [anInstance('v1', { zone: 'zone-a' }), anInstance('v1')];
  const [version] = serviceRoutes(aRecord(), [plain, zoned]).versions;
  expect(version?.endpoints).toEqual([{ ...zoned.address, zone: 'zone-a' }, plain.address]);
});

test('where gateways lead to a service instead of proxies, the table says so', () => {
  const { spec } = aRecord();
  const parentRefs = [{ kind: 'Gateway', name: 'main' }] as const;
  const shown = (mode: 'Besides' | 'Instead') => {
    const gatewayApi = { parentRefs, hostnames: [], mode };
    const pods = { kind: 'template', template: {} } as const;
    const runtime = {
      kind: 'kubernetes',
      pods,
      port: 80,
      replicas: 1,
      maxUnavailable: 1,
      gatewayApi,
    } as const;
    return serviceRoutes({ ...aRecord(), spec: { ...spec, runtime } }, []).withoutProxies;
  };
  expect([shown('Instead'), shown('Besides')]).toEqual([true, undefined]);
});

describe('default traffic', () => {
  test('goes to the primary alone while nothing shifts', () => {
    expect(serviceRoutes(aRecord(), [anInstance('v1')]).defaultRoute).toEqual({
      kind: 'Single',
      version: 'v1',
    });
  });

  test('is split while a shift runs', () => {
    const routes = serviceRoutes(aRecord({ traffic: shifting, versions: ramping }), [
      anInstance('v1'),
      anInstance('v2'),
    ]);
    expect(routes.defaultRoute).toEqual({
      kind: 'Split',
      primary: 'v1',
      candidate: 'v2',
      weight: 30,
      salt: 's',
    });
  });

  test('leaves a candidate at once that has no ready endpoint (rule 2)', () => {
    const routes = serviceRoutes(aRecord({ traffic: shifting, versions: ramping }), [
      anInstance('v1'),
      anInstance('v2', { state: 'Unready' }),
    ]);
    expect(routes.defaultRoute).toEqual({ kind: 'Single', version: 'v1' });
  });

  test('stays with a primary that has no ready endpoint', () => {
    const routes = serviceRoutes(aRecord(), [anInstance('v2')]);
    expect(routes.defaultRoute).toEqual({ kind: 'Single', version: 'v1' });
    expect(routes.versions[0]).toMatchObject({ version: 'v1', access: 'Open', endpoints: [] });
  });

  test('is unavailable, with the reason, before any version was ready', () => {
    const record = aRecord({ traffic: { kind: 'none' }, versions: [aVersion('v1', { state: 'Deploying' })] });
    expect(serviceRoutes(record, []).defaultRoute).toEqual({
      kind: 'Unavailable',
      reason: 'no version has been ready yet',
    });
  });
});

describe('who may reach a version by its pin', () => {
  const retirement = { since: instant(0), waiveStragglers: false };

  test('everybody while it is active, preview callers while it deploys, nobody once it is being retired', () => {
    const record = aRecord({
      versions: [
        aVersion('v1', { state: 'Primary' }),
        aVersion('v2', { state: 'Draining' }),
        aVersion('v3', { state: 'Deploying' }),
        aVersion('v4', { state: 'Drained', retirement: { step: 'Refusing', ...retirement } }),
        aVersion('v5', { state: 'Drained', retirement: { step: 'RemovingCluster', ...retirement } }),
        aVersion('v6', { state: 'Retired' }),
      ],
    });
    const routes = serviceRoutes(record, []);
    expect(routes.versions.map(({ version, access }) => `${version} ${access}`)).toEqual([
      'v1 Open',
      'v2 Open',
      'v3 Preview',
      'v4 Refused',
    ]);
    expect(routes.refusal).toMatchObject({ activeVersions: ['v1', 'v2'], primary: 'v1' });
  });

  test('a hold counts only while its version may be reached', () => {
    const hold = {
      tenant: tenantName('acme'),
      version: v2,
      reason: '',
      by: '',
      since: instant(0),
      expires: instant(1),
    };
    expect(serviceRoutes(aRecord({ holds: [hold] }), []).holds).toEqual([{ tenant: 'acme', version: 'v2' }]);
    expect(
      serviceRoutes(aRecord({ holds: [hold], versions: [aVersion('v1', { state: 'Primary' })] }), []).holds,
    ).toEqual([]);
  });
});

test('weights of all versions always sum to 100 while there is a primary (rule 3)', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 99 }), (weight) => {
      const traffic = { ...shifting, weight };
      expect(['v1', 'v2', 'v3'].reduce((sum, name) => sum + weightOf(traffic, versionName(name)), 0)).toBe(
        100,
      );
    }),
  );
});

test('the order in which versions and instances are known changes nothing (rule 6)', () => {
  const record = aRecord({ versions: [...ramping, aVersion('v3')], traffic: shifting });
  const instances = ['v1', 'v1', 'v2', 'v3', 'v3'].map((name) => anInstance(name));
  fc.assert(
    fc.property(
      fc.shuffledSubarray(instances, { minLength: 5 }),
      fc.shuffledSubarray([...record.versions], { minLength: 3 }),
      (some, versions) => {
        expect(JSON.stringify(serviceRoutes({ ...record, versions }, some))).toBe(
          JSON.stringify(serviceRoutes(record, instances)),
        );
      },
    ),
  );
});
