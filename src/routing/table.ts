/**
 * From what is recorded of a service and which instances are ready, to its routes. The readiness rules live here:
 * a candidate without a ready endpoint has weight 0 at once (rule 2); a primary without one keeps its routes.
 */
import type { Instance } from '../model/instance.ts';
import type { VersionName } from '../model/names.ts';
import type { SocketAddress } from '../model/spec.ts';
import {
  isActive,
  type Retirement,
  type ServiceRecord,
  type Traffic,
  type VersionRecord,
} from '../model/state.ts';
import type { DefaultRoute, RoutedVersion, ServiceRoutes } from '../model/table.ts';
import { compareText } from './compare.ts';
import { cohortOf, mirrorOf, takerOfCopies } from './rollout-routes.ts';

/** How long a refused client should wait before it asks again, in seconds. */
const REFUSAL_RETRY_AFTER_SECONDS = 10;

/** The routes of one service. Equal input in any order gives equal output. */
export function serviceRoutes(record: ServiceRecord, instances: readonly Instance[]): ServiceRoutes {
  const versions = record.versions
    .filter(hasCluster)
    .map((version) => routedVersion(version, instances, takerOfCopies(record)))
    .toSorted((left, right) => compareText(left.version, right.version));
  const primary = record.traffic.kind === 'none' ? undefined : record.traffic.primary;
  const { spec } = record;
  const cohort = cohortOf(record, versions);
  const mirror = mirrorOf(record, versions);
  return {
    service: record.name,
    listeners: [...spec.listeners].toSorted((left, right) => compareText(left.name, right.name)),
    pin: spec.pin,
    ...(spec.tenantKey === undefined ? {} : { tenantKey: spec.tenantKey }),
    upstream: spec.upstream,
    retries: spec.traffic.retries,
    versions,
    defaultRoute: defaultRoute(effectiveTraffic(record.traffic, versions)),
    holds: record.holds
      .filter((hold) => versions.some(({ version, access }) => version === hold.version && access === 'Open'))
      .map(({ tenant, version }) => ({ tenant, version }))
      .toSorted((left, right) => compareText(left.tenant, right.tenant)),
    ...(cohort === undefined ? {} : { cohort }),
    ...(mirror === undefined ? {} : { mirror }),
    refusal: {
      activeVersions: versions.filter(({ access }) => access === 'Open').map(({ version }) => version),
      ...(primary === undefined ? {} : { primary }),
      retryAfterSeconds: REFUSAL_RETRY_AFTER_SECONDS,
    },
    ...(spec.runtime.kind === 'kubernetes' && spec.runtime.gatewayApi?.mode === 'Instead'
      ? { withoutProxies: true }
      : {}),
  };
}

/** The traffic as proxies are told: a candidate without a ready endpoint takes none. */
export function effectiveTraffic(traffic: Traffic, versions: readonly RoutedVersion[]): Traffic {
  if (traffic.kind !== 'shifting') return traffic;
  if (readyEndpoints(versions, traffic.candidate) > 0) return traffic;
  return { kind: 'steady', primary: traffic.primary, ...optionalPrevious(traffic.previous) };
}

/** The percent of default traffic that a version gets. */
export function weightOf(traffic: Traffic, version: VersionName): number {
  switch (traffic.kind) {
    case 'none':
      return 0;
    case 'steady':
      return traffic.primary === version ? 100 : 0;
    case 'shifting':
      if (traffic.candidate === version) return traffic.weight;
      return traffic.primary === version ? 100 - traffic.weight : 0;
  }
}

function hasCluster({ state, retirement }: VersionRecord): boolean {
  const isKept = retirement === undefined || isReachable(retirement) || retirement.step === 'Refusing';
  return state !== 'Retired' && isKept;
}

function routedVersion(
  record: VersionRecord,
  instances: readonly Instance[],
  taker: VersionName | undefined,
): RoutedVersion {
  return {
    version: record.name,
    access: accessOf(record),
    endpoints: instances
      .filter(({ version, state }) => version === record.name && state === 'Ready')
      .map(({ address, zone }) => (zone === undefined ? address : { ...address, zone }))
      .toSorted(compareAddress),
    ...(record.name === taker ? { takesCopies: true } : {}),
  };
}

/** While its delegates leave a version they reach it. */
function isReachable({ step }: Retirement): boolean {
  return step === 'LeavingGoalStates';
}

function accessOf({ state, retirement }: VersionRecord): RoutedVersion['access'] {
  if (retirement !== undefined && !isReachable(retirement)) return 'Refused';
  return isActive(state) ? 'Open' : 'Preview';
}

function readyEndpoints(versions: readonly RoutedVersion[], name: VersionName): number {
  return versions.find(({ version }) => version === name)?.endpoints.length ?? 0;
}

function optionalPrevious(previous: VersionName | undefined): { previous?: VersionName } {
  return previous === undefined ? {} : { previous };
}

function defaultRoute(traffic: Traffic): DefaultRoute {
  switch (traffic.kind) {
    case 'none':
      return { kind: 'Unavailable', reason: 'no version has been ready yet' };
    case 'steady':
      return { kind: 'Single', version: traffic.primary };
    case 'shifting':
      return {
        kind: 'Split',
        primary: traffic.primary,
        candidate: traffic.candidate,
        weight: traffic.weight,
        salt: traffic.salt,
      };
  }
}

function compareAddress(left: SocketAddress, right: SocketAddress): number {
  return compareText(left.host, right.host) || left.port - right.port;
}
