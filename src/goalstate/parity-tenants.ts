/** The roll, tenant by tenant: who was expected, who is there, who is missing and why. */
import type { DelegateAnswer } from '../model/delegates.ts';
import type { WatcherRecord } from '../model/goal-state.ts';
import type { TenantName, VersionName } from '../model/names.ts';
import { MISSING_REASONS, type MissingBox, type Roll, type TenantParity } from '../model/parity.ts';
import type { DelegateId } from '../model/workflow.ts';
import { type BoxStanding, type GateFacts, standingOf } from './parity-box.ts';
import { BoxMap, byTenant, connectedIn } from './roll.ts';

type Watchers = ReadonlyMap<DelegateId, WatcherRecord>;

/** By the names of the boxes. */
export function namedTenants(
  input: GateFacts & {
    readonly roll: Extract<Roll, { kind: 'named' }>;
    readonly answer: Extract<DelegateAnswer, { kind: 'named' }>;
    readonly watchers: Watchers;
    readonly decommissioned: ReadonlySet<DelegateId>;
  },
): readonly TenantParity[] {
  const { roll, answer, watchers, candidate, decommissioned } = input;
  const heard = new BoxMap<{ readonly isRegistered: boolean }>();
  for (const one of connectedIn(answer)) {
    const isRegistered = one.version === candidate || heard.get(one)?.isRegistered === true;
    heard.set(one, { isRegistered });
  }
  const tenants = new Map<TenantName, [DelegateId, BoxStanding][]>();
  for (const box of roll.boxes) {
    const { delegate, tenant } = box;
    if (decommissioned.has(delegate)) continue;
    const reports = watchers.get(delegate);
    const watcher = reports?.identity.tenant === tenant ? reports : undefined;
    const known = heard.get(box);
    const facts = { isRegistered: known?.isRegistered === true, isHeardOf: known !== undefined };
    const standing = standingOf({ delegate, watcher, ...facts }, input);
    const others = tenants.get(tenant);
    if (others === undefined) tenants.set(tenant, [[delegate, standing]]);
    else others.push([delegate, standing]);
  }
  return [...tenants].map(([tenant, boxes]) => namedTenant(tenant, boxes)).toSorted(byTenant);
}

function namedTenant(
  tenant: TenantName,
  boxes: readonly (readonly [DelegateId, BoxStanding])[],
): TenantParity {
  const of = (kind: BoxStanding['kind']): readonly DelegateId[] =>
    boxes.filter(([, standing]) => standing.kind === kind).map(([delegate]) => delegate);
  const ready = of('Ready').length;
  const switching = of('Switching');
  const offline = of('Offline');
  const missing = boxes
    .flatMap(([, standing]) => (standing.kind === 'Missing' ? [asMissing(standing)] : []))
    .toSorted((one, other) => rank(one) - rank(other));
  const isUnknown = offline.length === boxes.length;
  return {
    tenant,
    state: isUnknown ? 'Unknown' : missing.length === 0 ? 'Passed' : 'Missing',
    expected: ready + missing.length,
    ready,
    missing,
    switching,
    offline: { count: offline.length, boxes: offline },
  };
}

function asMissing({ delegate, reason, detail }: MissingBox): MissingBox {
  return { ...(delegate === undefined ? {} : { delegate }), reason, detail };
}

function rank({ reason }: MissingBox): number {
  return MISSING_REASONS.indexOf(reason);
}

/** By numbers: of those that were on the roll, as many are expected as are connected to either version now. */
export function countedTenants(
  input: GateFacts & {
    readonly baseline: VersionName;
    readonly roll: Extract<Roll, { kind: 'counted' }>;
    readonly answer: Extract<DelegateAnswer, { kind: 'counted' }>;
    readonly watchers: Watchers;
  },
): readonly TenantParity[] {
  const { roll, answer, watchers, candidate, baseline, leftOut } = input;
  const onBaseline = countsOf(answer, baseline);
  const onCandidate = countsOf(answer, candidate);
  const switches = switchersByTenant(watchers);
  return roll.tenants.map(({ tenant, count }) => {
    const here = onCandidate.get(tenant) ?? 0;
    const online = Math.min(count, Math.max(onBaseline.get(tenant) ?? 0, here));
    const ready = Math.min(here, online);
    const switching = (switches.get(tenant) ?? []).slice(0, online - ready);
    const expected = online - switching.length;
    const gap: MissingBox =
      leftOut === ''
        ? { reason: 'Unknown', detail: 'not registered; the source gives no names' }
        : { reason: 'NoArtifact', detail: `cannot be told to run it: ${leftOut}` };
    return {
      tenant,
      state: online === 0 ? 'Unknown' : ready < expected ? 'Missing' : 'Passed',
      expected,
      ready,
      missing: Array.from({ length: expected - ready }, () => gap),
      switching,
      offline: { count: count - online, boxes: [] },
    };
  });
}

function countsOf(
  { counts }: Extract<DelegateAnswer, { kind: 'counted' }>,
  version: VersionName,
): ReadonlyMap<TenantName, number> {
  const byName = new Map<TenantName, number>();
  for (const count of counts) {
    if (count.version !== version) continue;
    byName.set(count.tenant, (byName.get(count.tenant) ?? 0) + count.connected);
  }
  return byName;
}

function switchersByTenant(watchers: Watchers): ReadonlyMap<TenantName, readonly DelegateId[]> {
  const switchers = new Map<TenantName, DelegateId[]>();
  for (const { identity, isConnected } of watchers.values()) {
    if (!isConnected || identity.maxVersions > 1) continue;
    const known = switchers.get(identity.tenant);
    if (known === undefined) switchers.set(identity.tenant, [identity.id]);
    else known.push(identity.id);
  }
  return switchers;
}
