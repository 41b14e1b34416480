/**
 * What the Service of the primary means for a rollout: after the flip it is waited for, but not for ever, and the times in which
 * it led elsewhere than the routes are recorded. Pure; who moves it looks at the same record.
 */
import { after, type Instant, isoTime, type Milliseconds } from '../model/instant.ts';
import type { VersionName } from '../model/names.ts';
import { MAX_GAPS, type PrimaryServiceGap, type PrimaryServiceStanding } from '../model/primary-service.ts';
import { isOpen, type RolloutRecord } from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { Observation } from './observation.ts';
import type { RolloutAction } from './plan-rollout.ts';
import { isAfterFlip } from './steps.ts';
import type { Walker } from './walk.ts';

/**
 * How long the soak waits for the Service, from when every proxy has followed the flip. The proxies' clients are on the new
 * version by then, and a version that nobody checks is worse than a Service that stays behind.
 */
export const PRIMARY_SERVICE_PATIENCE: Milliseconds = 60_000;

/** Whether the step after the flip is taken, as far as the Service is concerned, and what is to be said of it. */
export type ServiceFollow =
  | { readonly kind: 'Wait'; readonly because: string }
  /** `because` goes on after another sentence; empty where there is no Service. */
  | { readonly kind: 'GoOn'; readonly because: string };

/** Of a rollout whose flip every proxy has followed. */
export function followOfService({ rollout, observed }: Walker): ServiceFollow {
  const { primaryService: standing } = observed;
  if (standing === undefined) return { kind: 'GoOn', because: '' };
  const { version, stepEverywhere } = rollout;
  if (leadsTo(standing) === version)
    return { kind: 'GoOn', because: `, and Service ${standing.name} leads to ${version}` };
  const behind = behindText(standing, version);
  // Nothing will happen by itself.
  if (standing.kind === 'NotOurs') return { kind: 'GoOn', because: `; ${behind}` };
  const ends = after(stepEverywhere ?? rollout.stepSince, PRIMARY_SERVICE_PATIENCE);
  if (ends <= observed.now) return { kind: 'GoOn', because: `; it goes on without the Service: ${behind}` };
  return { kind: 'Wait', because: `${behind}; it goes on without it at ${isoTime(ends)}` };
}

/** Where the Service leads; undefined: nowhere, or it is not ours. */
export function leadsTo(standing: PrimaryServiceStanding): VersionName | undefined {
  return standing.kind === 'Leads' ? standing.version : undefined;
}

function behindText(standing: PrimaryServiceStanding, version: VersionName): string {
  const { name, problem } = standing;
  const why = problem === '' ? '' : `: ${problem}`;
  switch (standing.kind) {
    case 'Leads':
      return `Service ${name} leads to ${standing.version}, not yet to ${version}${why}`;
    case 'Nowhere':
      return `Service ${name} does not lead to ${version} yet${why}`;
    case 'NotOurs':
      return `clients without a proxy go where somebody else leads them${why}`;
  }
}

/** Records when routes and Service began and ceased to lead to different versions. */
export function planGaps(record: ServiceRecord, observed: Observation): readonly RolloutAction[] {
  const { rollout, traffic } = record;
  const { primaryService: standing, now } = observed;
  if (rollout === undefined || standing === undefined || traffic.kind === 'none') return [];
  const gap = rollout.primaryServiceGaps?.at(-1);
  const isOver = leadsTo(standing) === traffic.primary;
  if (gap !== undefined && gap.until === undefined) {
    if (!isOver) return [];
    const because = `Service ${gap.name} and the routes lead to ${traffic.primary} again, after ${now - gap.from} ms`;
    return [{ kind: 'EndGap', because }];
  }
  const from = movedAt(record, rollout);
  if (isOver || from === undefined || (gap !== undefined && gap.from >= from)) return [];
  const service = leadsTo(standing);
  const opened: PrimaryServiceGap = {
    name: standing.name,
    routes: traffic.primary,
    ...(service === undefined ? {} : { service }),
    from,
  };
  return [{ kind: 'BeginGap', gap: opened, because: behindText(standing, traffic.primary) }];
}

/** When the rollout last moved all default traffic to where it is. */
function movedAt({ traffic }: ServiceRecord, rollout: RolloutRecord): Instant | undefined {
  if (traffic.kind !== 'steady') return undefined;
  const { movedBackAt, step, stepSince, state, version, baseline } = rollout;
  if (movedBackAt !== undefined) return traffic.primary === baseline ? movedBackAt : undefined;
  const isFlip = isOpen(state) && step.kind === 'Shift' && isAfterFlip(step);
  return isFlip && traffic.primary === version ? stepSince : undefined;
}

/** The record with a gap of its rollout that has begun. */
export function withGap(record: ServiceRecord, gap: PrimaryServiceGap): ServiceRecord {
  return withGaps(record, (gaps) => [...gaps, gap].slice(-MAX_GAPS));
}

/** The record with the last gap of its rollout ended. */
export function withGapEnded(record: ServiceRecord, until: Instant): ServiceRecord {
  return withGaps(record, (gaps) =>
    gaps.map((gap, index) => (index === gaps.length - 1 ? { ...gap, until } : gap)),
  );
}

function withGaps(
  record: ServiceRecord,
  change: (gaps: readonly PrimaryServiceGap[]) => readonly PrimaryServiceGap[],
): ServiceRecord {
  const { rollout } = record;
  if (rollout === undefined) return record;
  return { ...record, rollout: { ...rollout, primaryServiceGaps: change(rollout.primaryServiceGaps ?? []) } };
}
