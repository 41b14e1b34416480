/** What an operator reads of the parity gate: one sentence, and one line for each tenant that is not complete. */
import type { DelegatesSpec } from '../model/delegates.ts';
import { after, type Instant, isoTime } from '../model/instant.ts';
import type { VersionName } from '../model/names.ts';
import type { MissingBox, Parity, ParityVerdict, TenantParity } from '../model/parity.ts';
import { listed } from './words.ts';

/** Lines that are made; what goes beyond is counted. */
const MAX_LINES = 100;
/** Tenants that a sentence names. */
const MAX_TENANTS = 5;

/** The gate while nobody knows. */
export function unknownParity(because: string): Parity {
  return { verdict: { kind: 'Unknown' }, because, expected: 0, ready: 0, tenants: [], lines: [] };
}

export function sentenceOf(gate: {
  readonly verdict: ParityVerdict;
  readonly tenants: readonly TenantParity[];
  readonly expected: number;
  readonly ready: number;
  readonly input: {
    readonly candidate: VersionName;
    readonly startedAt: Instant;
    readonly spec: Pick<DelegatesSpec, 'deadline' | 'onMissing' | 'maxHeldBack'>;
  };
}): string {
  const { tenants, expected, ready, input } = gate;
  const counted = `${ready} of ${expected} delegates registered at ${input.candidate}`;
  return `${counted}${notWaitedFor(tenants)}${consequence(gate.verdict, tenants, input)}`;
}

function notWaitedFor(tenants: readonly TenantParity[]): string {
  const offline = tenants.reduce((total, tenant) => total + tenant.offline.count, 0);
  const switching = tenants.reduce((total, tenant) => total + tenant.switching.length, 0);
  const parts = [
    ...(offline === 0 ? [] : [`${offline} offline`]),
    ...(switching === 0 ? [] : [`${switching} to switch after the flip`]),
  ];
  return parts.length === 0 ? '' : ` (beside ${parts.join(', ')})`;
}

function consequence(
  verdict: ParityVerdict,
  tenants: readonly TenantParity[],
  { startedAt, spec }: Parameters<typeof sentenceOf>[0]['input'],
): string {
  const open = tenants.filter(({ state }) => state !== 'Passed').map(({ tenant }) => tenant);
  const named = `${open.length} of ${tenants.length} tenants not complete: ${listed(open, MAX_TENANTS)}`;
  const deadline = isoTime(after(startedAt, spec.deadline));
  switch (verdict.kind) {
    case 'Passed':
      return `, in ${tenants.length === 1 ? 'the one tenant' : `all ${tenants.length} tenants`}`;
    case 'Waiting':
      return `; ${named}; ${spec.onMissing === 'Wait' ? 'it waits for them' : `${spec.onMissing} at ${deadline}`}`;
    case 'HoldBack':
      return `; ${named}; the deadline is past, so they are held back`;
    case 'Pause':
      return `; ${named}; the deadline is past, and that is more than maxHeldBack ${spec.maxHeldBack}%`;
    case 'Proceed':
      return `; ${named}; the deadline is past, and the spec says to go on without them`;
    case 'Fail':
      return `; ${named}; the deadline is past, and the spec says that the rollout fails`;
    case 'Unknown':
      return '';
  }
}

/** For each of the tenants, for example `acme 3/5: box-7 waits for its window (opens 22:00), box-9 crash-looping: exited with code 1`. */
export function linesOf(tenants: readonly TenantParity[]): readonly string[] {
  const lines = tenants.slice(0, MAX_LINES).map(tenantLine);
  const more = tenants.length - lines.length;
  return more > 0 ? [...lines, `and ${more} more tenants`] : lines;
}

function tenantLine({ tenant, ready, expected, missing, offline, state }: TenantParity): string {
  const away = offline.boxes.length === 0 ? '' : ` (${listed(offline.boxes)})`;
  if (state === 'Unknown')
    return `${tenant} unknown: none of its ${offline.count} delegates is connected${away}`;
  const apart = offline.count === 0 ? '' : `; ${offline.count} offline${away}`;
  return `${tenant} ${ready}/${expected}: ${listed(missingTexts(missing))}${apart}`;
}

/** Each box by name; those without one by number. */
function missingTexts(missing: readonly MissingBox[]): readonly string[] {
  const unnamed = missing.filter(({ delegate }) => delegate === undefined);
  return [
    ...missing.flatMap(({ delegate, detail }) => (delegate === undefined ? [] : [`${delegate} ${detail}`])),
    ...(unnamed[0] === undefined ? [] : [`${unnamed.length} ${unnamed[0].detail}`]),
  ];
}
