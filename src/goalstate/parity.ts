/**
 * The parity gate: no default traffic moves before each tenant has on the candidate the delegates that it had on the
 * baseline. Offline boxes are not waited for, and what is unknown is never a pass.
 */
import type { DelegateAnswer, DelegatesSpec } from '../model/delegates.ts';
import type { WatcherRecord } from '../model/goal-state.ts';
import { after, type Instant } from '../model/instant.ts';
import type { TenantName, VersionName } from '../model/names.ts';
import type { Parity, ParityVerdict, Roll, TenantParity } from '../model/parity.ts';
import type { WavesRecord } from '../model/waves.ts';
import type { DelegateId } from '../model/workflow.ts';
import { countedTenants, namedTenants } from './parity-tenants.ts';
import { linesOf, sentenceOf, unknownParity } from './parity-words.ts';
import { FRESH } from './roll.ts';

export interface ParityInput {
  /** From `fixRoll`; undefined: it could not be fixed yet. */
  readonly roll: Roll | undefined;
  /** What the source says now. */
  readonly answer: DelegateAnswer;
  /** All watchers of the service that are known, connected or not. */
  readonly watchers: ReadonlyMap<DelegateId, WatcherRecord>;
  /** These are not waited for: an operator took them out. */
  readonly decommissioned: ReadonlySet<DelegateId>;
  readonly candidate: VersionName;
  readonly baseline: VersionName;
  readonly spec: Pick<DelegatesSpec, 'deadline' | 'onMissing' | 'maxHeldBack' | 'activeWithin'>;
  /** Of the candidate; undefined: it is for every box. */
  readonly waves: WavesRecord | undefined;
  /** Why no watcher can be told to run the candidate; empty: they can. */
  readonly leftOut: string;
  /** When the gate began to wait. */
  readonly startedAt: Instant;
  readonly now: Instant;
}

/** How the gate stands. */
export function parity(input: ParityInput): Parity {
  const unknown = whyUnknown(input);
  if (unknown !== undefined) return unknownParity(unknown);
  const tenants = tenantsOf(input);
  const verdict = verdictOf(tenants, input);
  const expected = sum(tenants.map((tenant) => tenant.expected));
  const ready = sum(tenants.map((tenant) => tenant.ready));
  const open = tenants.filter(({ state }) => state !== 'Passed');
  return {
    verdict,
    because: sentenceOf({ verdict, tenants, expected, ready, input }),
    expected,
    ready,
    tenants,
    lines: linesOf(open),
  };
}

/** Rule 10: no roll, no answer, an old answer, or one that cannot be compared with the roll. */
function whyUnknown(input: ParityInput): string | undefined {
  const { roll, answer, baseline, candidate, spec, decommissioned, startedAt, now } = input;
  if (answer.kind === 'unknown') return `the delegates are unknown: ${answer.reason}`;
  // Without the baseline's number, whoever is on the candidate already would be taken for all that there are. Without the
  // candidate's they are missing while there is time, and no deadline lets the rollout go on without knowing.
  const isLate = after(startedAt, spec.deadline) <= now;
  const needed = isLate ? [baseline, candidate] : [baseline];
  const untold = answer.kind === 'counted' && answer.unknown.find(({ version }) => needed.includes(version));
  if (untold) return `the delegates of ${untold.version} are unknown: ${untold.reason}`;
  if (answer.asOf < now - FRESH) {
    return `the delegates were last counted ${Math.round((now - answer.asOf) / 1_000)} s ago, which is too old`;
  }
  if (roll === undefined) {
    const hours = Math.round(spec.activeWithin / 360_000) / 10;
    return `no delegate of ${baseline} was seen within ${hours} h, so nothing shows that delegates can reach another version`;
  }
  if (roll.kind !== answer.kind) {
    return `the roll was ${roll.kind} when the gate began, and the source now answers ${answer.kind}`;
  }
  const isEmpty = roll.kind === 'named' && roll.boxes.every(({ delegate }) => decommissioned.has(delegate));
  return isEmpty ? 'every delegate of the roll was decommissioned' : undefined;
}

function tenantsOf(input: ParityInput): readonly TenantParity[] {
  const { roll, answer } = input;
  if (roll?.kind === 'named' && answer.kind === 'named') return namedTenants({ ...input, roll, answer });
  if (roll?.kind === 'counted' && answer.kind === 'counted') {
    return countedTenants({ ...input, roll, answer });
  }
  throw new TypeError('a roll and an answer of different kinds cannot be compared');
}

function verdictOf(tenants: readonly TenantParity[], { spec, startedAt, now }: ParityInput): ParityVerdict {
  const missing = tenants.filter(({ state }) => state !== 'Passed').map(({ tenant }) => tenant);
  if (missing.length === 0) return { kind: 'Passed' };
  if (after(startedAt, spec.deadline) > now) return { kind: 'Waiting' };
  return atDeadline(missing, tenants.length, spec);
}

function atDeadline(
  missing: readonly TenantName[],
  all: number,
  { onMissing, maxHeldBack }: ParityInput['spec'],
): ParityVerdict {
  switch (onMissing) {
    case 'HoldBack':
      return { kind: missing.length * 100 <= maxHeldBack * all ? 'HoldBack' : 'Pause', tenants: missing };
    case 'Wait':
      return { kind: 'Waiting' };
    case 'Proceed':
    case 'Fail':
      return { kind: onMissing, tenants: missing };
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
