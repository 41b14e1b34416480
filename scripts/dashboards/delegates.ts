/** The dashboard of delegates: whether they follow the versions, and how their watchers are let in. */
import type { Dashboard, Row } from './dashboard.ts';
import { lines, stacked, stat } from './panels.ts';
import { controller, each, ofService, quantile, rate } from './queries.ts';

const bySum = (labels: string, vector: string): string => `max by (${labels}) (${vector})`;
const failing = 'state=~"ArtifactFailed|CrashLooping"';

const glance: Row = {
  title: 'At a glance',
  panels: [
    stat({
      title: 'Delegates at parity',
      description:
        'Connected delegates of the roll that are on the candidate, in percent of those that must be there before traffic moves. `switchyard get rollout SERVICE` names those that are missing.',
      unit: 'percent',
      width: 6,
      decimals: 0,
      queries: [
        {
          expr: `100 * ${each('switchyard_rollout_delegates_ready')} / ${each('switchyard_rollout_delegates_expected')}`,
          legend: '{{service}}',
        },
      ],
    }),
    stat({
      title: 'Watchers connected',
      description: 'Watchers of boxes that are connected, by service.',
      unit: 'none',
      width: 6,
      queries: [
        {
          expr: bySum('service', ofService('switchyard_watchers', 'state="connected"')),
          legend: '{{service}}',
        },
      ],
    }),
    stat({
      title: 'Boxes failing',
      description:
        'Boxes on which a version could not be fetched or ended too often. `switchyard get delegates --troubled` has their words.',
      unit: 'none',
      width: 6,
      redFrom: 1,
      queries: [
        {
          expr: `sum by (service) (${bySum('service, version, state', ofService('switchyard_delegates', failing))})`,
          legend: '{{service}}',
        },
      ],
    }),
    stat({
      title: 'Waves halted',
      description: 'Waves that wait for an operator: `switchyard delegates waves show SERVICE`.',
      unit: 'none',
      width: 6,
      redFrom: 1,
      queries: [{ expr: each('switchyard_waves_halted'), legend: '{{service}}' }],
    }),
  ],
};

const versions: Row = {
  title: 'Versions on the boxes',
  panels: [
    lines({
      title: 'Delegates connected',
      description:
        'Delegates with a stream to each version, as the delegate source says. A gap: it is not known.',
      unit: 'none',
      width: 12,
      min: 0,
      queries: [
        {
          expr: bySum('service, version', ofService('switchyard_delegates_connected')),
          legend: '{{service}} {{version}}',
        },
      ],
    }),
    lines({
      title: 'Parity',
      description: 'Delegates of the roll that must be on the candidate, and those that are.',
      unit: 'none',
      width: 12,
      min: 0,
      queries: [
        { expr: each('switchyard_rollout_delegates_expected'), legend: '{{service}} expected' },
        { expr: each('switchyard_rollout_delegates_ready'), legend: '{{service}} ready' },
      ],
    }),
    stacked({
      title: 'Boxes by version and state',
      description: 'How each version stands on the boxes whose watchers are connected.',
      unit: 'none',
      width: 16,
      min: 0,
      queries: [
        {
          expr: bySum('service, version, state', ofService('switchyard_delegates')),
          legend: '{{service}} {{version}} {{state}}',
        },
      ],
    }),
    lines({
      title: 'Generation of goal states',
      description: 'It rises with each change of what any box should run.',
      unit: 'none',
      width: 8,
      min: 0,
      queries: [{ expr: each('switchyard_goal_generation'), legend: '{{service}}' }],
    }),
  ],
};

const watchers: Row = {
  title: 'Watchers',
  panels: [
    lines({
      title: 'Watchers over time',
      description: 'Known watchers by state: connected, or away.',
      unit: 'none',
      width: 8,
      min: 0,
      queries: [
        {
          expr: bySum('service, state', ofService('switchyard_watchers')),
          legend: '{{service}} {{state}}',
        },
      ],
    }),
    lines({
      title: 'Admission',
      description: 'Watchers that came each second: let in, asked to come later, or refused.',
      unit: 'ops',
      width: 8,
      min: 0,
      queries: [
        {
          expr: `sum by (reception) (${rate(controller('switchyard_watcher_admissions_total'))})`,
          legend: '{{reception}}',
        },
      ],
    }),
    lines({
      title: 'Time until told',
      description:
        'From when it was known that a watcher has something to be told until it was sent: median and 99th percentile.',
      unit: 's',
      width: 8,
      min: 0,
      queries: [
        { expr: quantile(0.5, controller('switchyard_watcher_told_seconds_bucket')), legend: 'median' },
        {
          expr: quantile(0.99, controller('switchyard_watcher_told_seconds_bucket')),
          legend: '99th percentile',
        },
      ],
    }),
  ],
};

export const delegates: Dashboard = {
  name: 'delegates',
  title: 'Switchyard / Delegates',
  description: 'Whether the delegates follow the versions, and how their watchers are let in.',
  variables: ['job', 'service'],
  rows: [glance, versions, watchers],
};
