import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serviceName, versionName } from '../../../../src/model/names.ts';
import {
  clusterName,
  mirrorClusterName,
  parseClusterName,
  refusalClusterName,
  STATISTICS_TAGS,
  statisticsName,
} from '../../../../src/xds/translate/names.ts';
import { type NamedRoute, parseRouteName, routeName } from '../../../../src/xds/translate/route-names.ts';

const name = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?$/);
const services = fc.oneof(name, fc.constantFrom('mirror', '1', 'a.b')).map(serviceName);
const versions = fc.oneof(name, fc.constantFrom('mirror', '1.8.3', 'v2')).map(versionName);
const named: fc.Arbitrary<NamedRoute> = fc.record(
  {
    service: services,
    route: fc.constantFrom('Default', 'Pin', 'Hold', 'Cohort', 'Refused'),
    copiedTo: versions,
  },
  { requiredKeys: ['service', 'route'] },
);

/** The labels of a cluster's counter, and the rest of its name, as Envoy makes them of our expressions. */
function labelsOf(cluster: string): { name: string; labels: Record<string, string> } {
  const statistic = `cluster.${statisticsName(cluster)}.upstream_rq_total`;
  const cuts: string[] = [];
  const labels: Record<string, string> = {};
  for (const { tagName, regex } of STATISTICS_TAGS) {
    const [, cut, value] = new RegExp(regex).exec(statistic) ?? [];
    if (cut === undefined || value === undefined) continue;
    cuts.push(cut);
    labels[tagName] = value;
  }
  const longest = cuts.toSorted((left, right) => right.length - left.length)[0] ?? '';
  return { name: statistic.replace(longest, ''), labels };
}

describe('the name of a route', () => {
  test('says what it was made of', () => {
    fc.assert(
      fc.property(named, (route) => {
        expect({ ...parseRouteName(routeName(route)) }).toEqual({ ...route });
      }),
    );
  });

  test('is plain to read', () => {
    const service = serviceName('manager');
    expect(routeName({ service, route: 'Pin' })).toBe('manager/Pin');
    expect(routeName({ service, route: 'Default', copiedTo: versionName('v2') })).toBe(
      'manager/Default/mirror/v2',
    );
  });

  test.each([
    '',
    'manager',
    'manager/',
    'manager/Other',
    'manager/pin',
    'Manager/Pin',
    '/Pin',
    'v1',
    'split',
  ])('is not ours: %j', (text) => expect(parseRouteName(text)).toBeUndefined());

  test.each(['manager/Pin/v2', 'manager/Pin/mirror', 'manager/Pin/mirror/V2', 'manager/Pin/mirror/v2/x'])(
    'has nothing behind it but a copy: %j',
    (text) => expect(parseRouteName(text)).toBeUndefined(),
  );
});

describe('the name of a cluster', () => {
  test('says which service and version it is of', () => {
    fc.assert(
      fc.property(services, versions, (service, version) => {
        expect(parseClusterName(clusterName(service, version))).toEqual({ service, version });
      }),
    );
  });

  test('is no version of anything for copies, refusals and strangers', () => {
    fc.assert(
      fc.property(services, versions, (service, version) => {
        for (const other of [mirrorClusterName(service, version), refusalClusterName(service), service, '']) {
          expect(parseClusterName(other)).toBeUndefined();
        }
      }),
    );
  });

  test('gives statistics exactly the labels service and version, dots and all', () => {
    fc.assert(
      fc.property(services, versions, (service, version) => {
        const cluster = clusterName(service, version);
        expect(labelsOf(cluster)).toEqual({
          name: 'cluster.upstream_rq_total',
          labels: { 'envoy.cluster_name': cluster, service, version },
        });
      }),
    );
  });

  test('gives statistics of copies the label mirror, and not the label version', () => {
    fc.assert(
      fc.property(services, versions, (service, version) => {
        const cluster = mirrorClusterName(service, version);
        expect(labelsOf(cluster)).toEqual({
          name: 'cluster.upstream_rq_total',
          labels: { 'envoy.cluster_name': cluster, service, mirror: version },
        });
      }),
    );
  });
});
