/**
 * The gate of delegates: a rollout goes on when each tenant has on the candidate the delegates that it had on the
 * baseline, or is held back, or an operator or the spec says to go on without them. It is asked once more before each
 * step that moves traffic, since delegates can leave again.
 */
import { after, type Instant } from '../model/instant.ts';
import { MAX_HOLDS } from '../model/limits.ts';
import type { TenantName } from '../model/names.ts';
import type { Parity, Roll } from '../model/parity.ts';
import type { DelegateCounts, RolloutRecord, StepName } from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { Obstacle } from './forward.ts';
import type { Observation } from './observation.ts';
import { hasDelegates, isFlipped, isPromoted, movesTraffic } from './steps.ts';

/** The name under which `promote` waives the gate, whatever step it is asked at. */
export const REGISTER: StepName = 'Register' as StepName;

/** What the gate says of the next step. */
export type DelegatesGate =
  | {
      readonly kind: 'Open';
      readonly because: string;
      /** Tenants to be held on the baseline with the next step. */
      readonly heldBack: readonly TenantName[];
      /** Absent where they were not counted: an operator waived them. */
      readonly counts?: DelegateCounts;
    }
  | ({ readonly kind: 'Stay' } & Obstacle)
  | { readonly kind: 'End'; readonly because: string };

interface Input {
  readonly record: ServiceRecord;
  readonly rollout: RolloutRecord;
  readonly observed: Observation;
}

/** How the gate stands; undefined where the rollout waits for no delegates (any more). */
export function delegatesGate(input: Input): DelegatesGate | undefined {
  const { record, rollout, observed } = input;
  if (!hasDelegates(rollout.policy) || isFlipped(record, rollout)) return undefined;
  if (isPromoted(rollout, REGISTER)) return open('its delegates were waived by an operator');
  const parity = observed.rollout?.delegates?.parity;
  if (parity === undefined) return unknown(input, 'nobody has counted the delegates yet');
  if (parity.verdict.kind === 'Unknown') return unknown(input, parity.because);
  const missing = undecidedTenants(record, parity, observed.now);
  if (missing.length === 0) return open(parity.because, countsOf(parity, observed.now));
  return withMissing(input, parity, missing);
}

/** Tenants whose delegates are missing, and for whom no hold says where they go. */
function undecidedTenants(
  { holds }: ServiceRecord,
  { tenants }: Parity,
  now: Instant,
): readonly TenantName[] {
  const held = new Set(holds.filter(({ expires }) => expires > now).map(({ tenant }) => tenant));
  return tenants
    .filter(({ state, tenant }) => state !== 'Passed' && !held.has(tenant))
    .map(({ tenant }) => tenant);
}

function withMissing(input: Input, parity: Parity, missing: readonly TenantName[]): DelegatesGate {
  const { because, verdict } = parity;
  switch (verdict.kind) {
    case 'HoldBack':
    case 'Pause':
      return holdBack(input, parity, missing);
    case 'Proceed':
      return open(because, countsOf(parity, input.observed.now));
    case 'Fail':
      return { kind: 'End', because };
    case 'Waiting':
    case 'Passed':
    case 'Unknown':
      return isLate(input)
        ? { kind: 'Stay', state: 'Waiting', reason: 'DelegatesMissing', because }
        : { kind: 'Stay', state: 'Progressing', reason: 'Registering', because };
  }
}

/**
 * Those that were held back before count too: the limit is for the rollout, not for each step of it. Nobody is held back
 * once traffic has moved: a tenant moves one way (rule 3).
 */
function holdBack(
  { record, rollout, observed }: Input,
  parity: Parity,
  missing: readonly TenantName[],
): DelegatesGate {
  const { because, tenants } = parity;
  const before = record.holds.filter(({ heldBackBy }) => heldBackBy === rollout.id).length;
  const { maxHeldBack = 0 } = rollout.policy.delegates ?? {};
  const paused = (why: string): DelegatesGate => ({
    kind: 'Stay',
    state: 'Paused',
    reason: 'DelegatesMissing',
    because: `${because}${why}; promote goes on without them, resume waits anew, abort ends it`,
  });
  if ((before + missing.length) * 100 > maxHeldBack * tenants.length) return paused('');
  if (movesTraffic(rollout.step)) {
    return paused(
      ', and tenants that are at the candidate already would move back with a hold, which only an end of the rollout may do',
    );
  }
  if (record.spec.tenantKey === undefined) {
    return paused(`, but ${record.name} has no spec.tenantKey, so tenants cannot be held`);
  }
  if (record.holds.length + missing.length > MAX_HOLDS) {
    return paused(`, but ${record.name} has ${record.holds.length} holds, and ${MAX_HOLDS} is the most`);
  }
  return { kind: 'Open', because, heldBack: missing, counts: countsOf(parity, observed.now) };
}

function unknown(input: Input, because: string): DelegatesGate {
  const state = isLate(input) ? 'Inconclusive' : 'Progressing';
  return { kind: 'Stay', state, reason: 'DelegatesUnknown', because };
}

function isLate({ rollout, observed }: Input): boolean {
  return after(rollout.stepSince, rollout.policy.delegates?.deadline ?? 0) <= observed.now;
}

function open(because: string, counts?: DelegateCounts): DelegatesGate {
  return { kind: 'Open', because, heldBack: [], ...(counts === undefined ? {} : { counts }) };
}

function countsOf({ ready, expected }: Parity, at: Instant): DelegateCounts {
  return { ready, expected, at };
}

/** The roll that is to be fixed now; undefined where it is fixed, or cannot be yet. */
export function rollToFix({ rollout, observed }: Pick<Input, 'rollout' | 'observed'>): Roll | undefined {
  if (rollout.step.kind !== 'Register' || rollout.rollFixedAt !== undefined) return undefined;
  return observed.rollout?.delegates?.roll;
}
