/** The one sentence of a report: how the rollout ended, and what it cost. Pure. */
import type { Instant } from '../model/instant.ts';
import type { VersionName } from '../model/names.ts';
import type { Figure, VersionTraffic } from '../model/report.ts';
import type { RolloutRecord, RolloutState } from '../model/rollout.ts';
import { counted, lengthOfTime, number, percent } from './words.ts';

export interface Summarised {
  readonly rollout: RolloutRecord;
  readonly figures: { readonly requests: Figure; readonly impacted: Figure };
  readonly byVersion: readonly VersionTraffic[];
  readonly now: Instant;
}

const ENDINGS: Readonly<Record<RolloutState, string>> = {
  Waiting: 'waits to begin',
  Progressing: 'goes on',
  Paused: 'is paused',
  Inconclusive: 'could not decide',
  Succeeded: 'succeeded',
  Aborted: 'was aborted',
  RolledBack: 'was rolled back',
  Failed: 'failed before it moved traffic',
};

/** For example: `v3 was rolled back after 4 min 2 s: none of 12,345 requests was hurt.` */
export function summaryOf(summarised: Summarised): string {
  const { rollout, now } = summarised;
  const lasted = lengthOfTime((rollout.endedAt ?? now) - rollout.startedAt);
  const ending = `${rollout.version} ${ENDINGS[rollout.state]} after ${lasted}`;
  return [`${ending}: ${costOf(summarised.figures)}`, ...errorsOfCandidate(summarised)]
    .join('; ')
    .concat('.');
}

function costOf({ requests, impacted }: Summarised['figures']): string {
  const { certainty } = impacted;
  if (certainty.kind === 'NotMeasurable') return `what it cost is not measurable, because ${certainty.why}`;
  const known = certainty.kind === 'Proved' ? '' : 'as far as is known, ';
  const all = requests.value ?? 0;
  if (all === 0) return `${known}there was no request`;
  const hurt = impacted.value ?? 0;
  if (hurt === 0) return `${known}none of ${counted(all, 'request')} was hurt`;
  return `${known}${number(hurt)} of ${counted(all, 'request')} ${hurt === 1 ? 'was' : 'were'} hurt (${percent(hurt, all)})`;
}

/** A candidate that answers with errors hurts clients too, although every request was answered. */
function errorsOfCandidate({ rollout, byVersion, figures }: Summarised): readonly string[] {
  if (figures.requests.value === undefined) return [];
  const of = (version: VersionName) => {
    const rows = byVersion.filter((row) => row.version === version && row.route !== 'Mirror');
    return {
      errors: rows.reduce((sum, { results }) => sum + (results.ServerError ?? 0), 0),
      all: rows.reduce((sum, { requests }) => sum + requests, 0),
    };
  };
  const [candidate, baseline] = [of(rollout.version), of(rollout.baseline)];
  if (candidate.errors === 0) return [];
  return [
    `${rollout.version} answered ${percent(candidate.errors, candidate.all)} of ${counted(candidate.all, 'request')} with a server error` +
      (baseline.all === 0 ? '' : `, ${rollout.baseline} ${percent(baseline.errors, baseline.all)}`),
  ];
}
