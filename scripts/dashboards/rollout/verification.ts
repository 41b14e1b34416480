/** What the checks measured, against which limits. */
import type { Row } from '../dashboard.ts';
import { codes, lines, table, timeline } from '../panels.ts';
import { ofService, rate } from '../queries.ts';
import { CHECKS, checkState, ofCheck } from './words.ts';

export const verification: Row = {
  title: 'Verification',
  panels: [
    table({
      title: 'Checks now',
      description:
        'The last value of each check beside its limit, in the unit of the check. A check that only compares has no limit but a baseline.',
      unit: 'none',
      width: 12,
      columns: ['service', 'check'],
      queries: [
        { expr: checkState, legend: 'State' },
        {
          expr: `max by (service, check) (${ofCheck('switchyard_rollout_check_value', 'side="candidate"')})`,
          legend: 'Candidate',
        },
        {
          expr: `max by (service, check) (${ofCheck('switchyard_rollout_check_value', 'side="baseline"')})`,
          legend: 'Baseline',
        },
        {
          expr: `max by (service, check) (${ofCheck('switchyard_rollout_check_limit', 'bound="min"')})`,
          legend: 'At least',
        },
        {
          expr: `max by (service, check) (${ofCheck('switchyard_rollout_check_limit', 'bound="max"')})`,
          legend: 'At most',
        },
        {
          expr: `max by (service, check) (${ofCheck('switchyard_rollout_check_samples', 'side="candidate"')})`,
          legend: 'Samples',
        },
      ],
    }),
    timeline({
      title: 'Checks over time',
      description:
        'The states that each check went through. Error: it could not be measured. NoData: too few samples. Neither is a pass.',
      unit: 'none',
      width: 12,
      height: 8,
      noValue: 'no checks',
      queries: [{ expr: checkState, legend: '{{service}} {{check}}' }],
      mappings: codes(CHECKS),
    }),
    lines({
      title: 'Check: $check',
      description:
        'Measured values of the candidate and the baseline, and the limit, in the unit of the check.',
      unit: 'none',
      width: 8,
      repeat: 'check',
      queries: [
        {
          expr: `max by (service, check, side) (${ofCheck('switchyard_rollout_check_value')})`,
          legend: '{{service}} {{side}}',
        },
        {
          expr: `max by (service, check, bound) (${ofCheck('switchyard_rollout_check_limit')})`,
          legend: '{{service}} limit {{bound}}',
        },
      ],
    }),
    lines({
      title: 'Measurements by what they said',
      description: 'Measurements each second. Errors and NoData that go on mean that nothing is verified.',
      unit: 'ops',
      width: 24,
      height: 6,
      queries: [
        {
          expr: `sum by (service, state) (${rate(ofService('switchyard_measurements_total'))})`,
          legend: '{{service}} {{state}}',
        },
      ],
    }),
  ],
};
