/** The roll: which delegates a rollout waits for. Fixed once, when it begins, so that nobody who comes or goes changes it. */
import type { DelegateAnswer } from '../model/delegates.ts';
import type { Instant, Milliseconds } from '../model/instant.ts';
import type { TenantName, VersionName } from '../model/names.ts';
import type { Roll } from '../model/parity.ts';
import type { DelegateId, DelegateRegistration } from '../model/workflow.ts';

/**
 * A registration older than this is one of the past: its delegate is not connected. An answer older than this is none.
 */
export const FRESH: Milliseconds = 120_000;

/**
 * The roll from what the source answers; undefined while that is unknown or too old to tell, and while it names nobody:
 * there may be a roll when it is asked again.
 */
export function fixRoll(input: {
  readonly answer: DelegateAnswer;
  readonly baseline: VersionName;
  readonly activeWithin: Milliseconds;
  readonly now: Instant;
}): Roll | undefined {
  const { answer, baseline, activeWithin, now } = input;
  if (answer.kind === 'unknown' || answer.asOf < now - FRESH) return undefined;
  if (answer.kind === 'counted') {
    const ofBaseline = answer.counts.filter(
      ({ version, connected }) => version === baseline && connected > 0,
    );
    const tenants = new Map<TenantName, number>();
    for (const { tenant, connected } of ofBaseline) {
      tenants.set(tenant, (tenants.get(tenant) ?? 0) + connected);
    }
    const counts = [...tenants].map(([tenant, count]) => ({ tenant, count }));
    if (counts.length === 0) return undefined;
    return { kind: 'counted', fixedAt: now, tenants: counts.toSorted(byTenant) };
  }
  const boxes = new BoxMap<Extract<Roll, { kind: 'named' }>['boxes'][number]>();
  for (const { delegate, tenant, version, lastSeen } of answer.delegates) {
    if (version === baseline && lastSeen >= now - activeWithin) {
      boxes.set({ tenant, delegate }, { delegate, tenant });
    }
  }
  const all = boxes.values();
  return all.length === 0 ? undefined : { kind: 'named', fixedAt: now, boxes: all.toSorted(byTenant) };
}

/** The delegates of an answer that are connected. */
export function connectedIn({
  delegates,
  asOf,
}: Extract<DelegateAnswer, { kind: 'named' }>): readonly DelegateRegistration[] {
  return delegates.filter(({ lastSeen }) => lastSeen >= asOf - FRESH);
}

/** Boxes by tenant and name: two tenants may use one name for theirs, and what the one's does says nothing of the other's. */
export class BoxMap<Value> {
  readonly #tenants = new Map<TenantName, Map<DelegateId, Value>>();

  get({ tenant, delegate }: Pick<DelegateRegistration, 'tenant' | 'delegate'>): Value | undefined {
    return this.#tenants.get(tenant)?.get(delegate);
  }

  set({ tenant, delegate }: Pick<DelegateRegistration, 'tenant' | 'delegate'>, value: Value): void {
    const known = this.#tenants.get(tenant);
    if (known === undefined) this.#tenants.set(tenant, new Map([[delegate, value]]));
    else known.set(delegate, value);
  }

  values(): readonly Value[] {
    return [...this.#tenants.values()].flatMap((boxes) => [...boxes.values()]);
  }
}

/** Tenants in the order of their names. */
export function byTenant(one: { readonly tenant: string }, other: { readonly tenant: string }): number {
  return one.tenant < other.tenant ? -1 : one.tenant > other.tenant ? 1 : 0;
}
