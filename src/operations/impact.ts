/** Whom a change touches, in sentences, before it is made. What cannot be known is said so: unknown is not nobody. */
import type { VersionName } from '../model/names.ts';
import { findVersion, type ServiceRecord } from '../model/state.ts';
import type { WorkCount } from '../ports/work-source.ts';
import type { OperationContext } from './context.ts';
import { countOpenWork } from './open-work.ts';

/** What becomes of those that use `version` when the default traffic leaves it. */
export async function impactOfLeaving(
  context: OperationContext,
  record: ServiceRecord,
  version: VersionName,
): Promise<readonly string[]> {
  const { traffic } = record;
  const share =
    traffic.kind === 'steady' && traffic.primary === version
      ? [`all default traffic leaves ${version}`]
      : traffic.kind === 'shifting' && traffic.candidate === version
        ? [`${traffic.weight} % of default traffic leaves ${version}`]
        : [];
  const work = describeWork(await count(context, record, version), 'stays there and goes on', version);
  return [...share, ...work, ...heldTenants(record, version, 'stay held on it')];
}

/** Who would be refused if `version` took no new work, or were gone. */
export async function impactOfTeardown(
  context: OperationContext,
  record: ServiceRecord,
  version: VersionName,
): Promise<readonly string[]> {
  const work = describeWork(await count(context, record, version), 'must end first', version);
  return [
    ...work,
    ...heldTenants(record, version, 'are held on it and would be refused'),
    ...pinnedRequests(context, record, version),
  ];
}

function describeWork(work: WorkCount, fate: string, version: VersionName): string[] {
  if (work.kind === 'unknown') return [`the open work of ${version} is not known: ${work.reason}`];
  if (work.total === 0) return [];
  return [`${work.total} open on ${version} ${fate}`];
}

function heldTenants({ holds }: ServiceRecord, version: VersionName, fate: string): string[] {
  const held = holds.filter((hold) => hold.version === version).map(({ tenant }) => tenant);
  if (held.length === 0) return [];
  const shown = held.slice(0, 5).join(', ');
  const more = held.length > 5 ? ` and ${held.length - 5} more` : '';
  return [`${held.length} tenants (${shown}${more}) ${fate}`];
}

function pinnedRequests(
  { trafficLog }: OperationContext,
  { name }: ServiceRecord,
  version: VersionName,
): string[] {
  const counts = trafficLog.recent(name).filter((row) => row.version === version && row.route === 'Pin');
  const requests = counts.reduce((sum, row) => sum + row.requests, 0);
  if (requests > 0)
    return [`${requests} pinned requests reached ${version} in the last minutes; they would be refused`];
  return trafficLog.reporters().length > 0
    ? []
    : ['how many pinned requests come is not known: no proxy reports its requests (listeners[].accessLog)'];
}

/** Asks the version's work source; what fails is unknown. */
async function count(
  context: OperationContext,
  record: ServiceRecord,
  name: VersionName,
): Promise<WorkCount> {
  const version = findVersion(record, name);
  if (version === undefined) return { kind: 'unknown', reason: `${name} is gone` };
  try {
    return await countOpenWork(context, record, version);
  } catch (error) {
    return { kind: 'unknown', reason: String(error) };
  }
}
