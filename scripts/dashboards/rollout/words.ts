/** The words of rollouts as numbers with colours, and the queries that give these numbers. */
import type { CheckState } from '../../../src/model/check.ts';
import type { Verdict } from '../../../src/model/measurement.ts';
import type { RolloutState, RolloutStep } from '../../../src/model/rollout.ts';
import type { Meaning } from '../panels.ts';
import { coded, ofService } from '../queries.ts';

export const STATES = {
  Waiting: 'still',
  Progressing: 'moving',
  Paused: 'still',
  Inconclusive: 'doubtful',
  Succeeded: 'good',
  Aborted: 'bad',
  RolledBack: 'bad',
  Failed: 'bad',
} as const satisfies Record<RolloutState, Meaning>;

export const STEPS = {
  Deploy: 'moving',
  Register: 'moving',
  Verify: 'moving',
  Cohort: 'moving',
  Shift: 'moving',
  Soak: 'moving',
} as const satisfies Record<RolloutStep['kind'], Meaning>;

export const VERDICTS = {
  Running: 'moving',
  Passed: 'good',
  Failed: 'bad',
  Error: 'doubtful',
  Inconclusive: 'doubtful',
  NoData: 'doubtful',
} as const satisfies Record<Verdict['state'], Meaning>;

export const CHECKS = {
  Pending: 'none',
  Running: 'moving',
  Passed: 'good',
  Failed: 'bad',
  Error: 'doubtful',
  Inconclusive: 'doubtful',
  NoData: 'doubtful',
  Skipped: 'none',
} as const satisfies Record<CheckState, Meaning>;

export const state = coded({
  of: (matcher) => ofService('switchyard_rollout_state', matcher),
  label: 'state',
  values: Object.keys(STATES),
  by: ['service'],
});

export const step = coded({
  of: (matcher) => ofService('switchyard_rollout_step', matcher),
  label: 'step',
  values: Object.keys(STEPS),
  by: ['service'],
});

export const verdict = coded({
  of: (matcher) => ofService('switchyard_rollout_verdict', matcher),
  label: 'verdict',
  values: Object.keys(VERDICTS),
  by: ['service'],
});

/** A metric of the checks chosen. */
export const ofCheck = (metric: `switchyard_rollout_check_${string}`, matcher = ''): string =>
  ofService(metric, `check=~"$check"${matcher === '' ? '' : `,${matcher}`}`);

export const checkState = coded({
  of: (matcher) => ofCheck('switchyard_rollout_check_state', matcher),
  label: 'state',
  values: Object.keys(CHECKS),
  by: ['service', 'check'],
});
