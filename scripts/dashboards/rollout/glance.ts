/** Where each rollout is now, and whether somebody has to look. */
import type { Row } from '../dashboard.ts';
import { codes, nameStat, stat, yesOrNo } from '../panels.ts';
import { each, ofService, percentOf, withinRange } from '../queries.ts';
import { STATES, STEPS, state, step, VERDICTS, verdict } from './words.ts';

export const glance: Row = {
  title: 'At a glance',
  panels: [
    stat({
      title: 'State',
      description:
        'State of the rollout that goes on, or of the last one. Inconclusive and Paused wait for somebody: `switchyard get rollout SERVICE` says for what.',
      unit: 'none',
      width: 4,
      queries: [{ expr: state, legend: '{{service}}' }],
      mappings: codes(STATES, 'no rollout yet'),
    }),
    nameStat({
      title: 'Candidate',
      description: 'The primary at the beginning, and the version that is brought up.',
      unit: 'none',
      width: 4,
      noValue: 'no rollout yet',
      queries: [
        {
          expr: `max by (service, version, baseline) (${ofService('switchyard_rollout_info')})`,
          legend: '{{service}}: {{baseline}} to {{version}}',
        },
      ],
    }),
    stat({
      title: 'Step',
      description: 'Where in its walk the rollout is, or ended.',
      unit: 'none',
      width: 3,
      queries: [{ expr: step, legend: '{{service}}' }],
      mappings: codes(STEPS, 'no rollout yet'),
    }),
    stat({
      title: 'Steps done',
      description: 'Share of the steps of the walk that are done. Each weight is a step.',
      unit: 'percent',
      width: 2,
      decimals: 0,
      noValue: 'none',
      queries: [
        {
          expr: percentOf(each('switchyard_rollout_steps_done'), each('switchyard_rollout_steps')),
          legend: '{{service}}',
        },
      ],
    }),
    stat({
      title: 'Verdict',
      description:
        'What the checks of the present step add up to, worst first. None: the step has no checks.',
      unit: 'none',
      width: 3,
      queries: [{ expr: verdict, legend: '{{service}}' }],
      mappings: codes(VERDICTS),
    }),
    stat({
      title: 'Way back',
      description:
        'Whether the default traffic could be moved back at once: previous is up, unfenced and ready.',
      unit: 'none',
      width: 3,
      queries: [{ expr: each('switchyard_rollout_way_back_ready'), legend: '{{service}}' }],
      mappings: yesOrNo(['ready', 'good'], ['none', 'doubtful']),
    }),
    nameStat({
      title: 'Last end that was no success',
      description:
        'How and why the last rollout that did not succeed ended. None: there was none since the controller started.',
      unit: 'none',
      width: 5,
      queries: [
        {
          expr: `max by (service, version, outcome, reason) (${ofService('switchyard_rollout_last_abort_info')})`,
          legend: '{{service}} {{version}}: {{outcome}}, {{reason}}',
        },
      ],
    }),
    stat({
      title: 'Weights',
      description: 'Share of the default traffic that each version has.',
      unit: 'percent',
      width: 8,
      queries: [
        {
          expr: `max by (service, version) (${ofService('switchyard_version_weight_percent')})`,
          legend: '{{service}} {{version}}',
        },
      ],
    }),
    stat({
      title: 'Time in this state',
      description: 'How long the rollout has been in its state.',
      unit: 's',
      width: 4,
      noValue: 'no rollout yet',
      queries: [
        {
          expr: `time() - (${each('switchyard_rollout_state_timestamp_seconds')} > 0)`,
          legend: '{{service}}',
        },
      ],
    }),
    stat({
      title: 'Frozen',
      description:
        'Whether an operator keeps default traffic from moving forward. Aborts and rollbacks are never frozen.',
      unit: 'none',
      width: 4,
      queries: [{ expr: each('switchyard_service_frozen'), legend: '{{service}}' }],
      mappings: yesOrNo(['frozen', 'still'], ['free', 'none']),
    }),
    stat({
      title: 'Alerts of the services',
      description: 'Things that are wrong now. `switchyard get services` has the sentences.',
      unit: 'none',
      width: 4,
      redFrom: 1,
      queries: [{ expr: each('switchyard_service_alerts'), legend: '{{service}}' }],
    }),
    stat({
      title: 'Traffic changes',
      description: 'Flips and rollbacks within the time shown.',
      unit: 'none',
      width: 4,
      decimals: 0,
      queries: [
        {
          expr: `sum by (change) (${withinRange(ofService('switchyard_traffic_changes_total', 'change=~"Flip|Rollback"'))})`,
          legend: '{{change}}',
        },
      ],
    }),
  ],
};
