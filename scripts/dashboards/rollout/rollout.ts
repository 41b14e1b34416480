/** The dashboard of rollouts: where each one is, why, what its checks measured, and what became of the traffic. */
import type { Dashboard } from '../dashboard.ts';
import { glance } from './glance.ts';
import { verification } from './verification.ts';
import { history, requests, walk } from './walk.ts';

export const rollout: Dashboard = {
  name: 'rollout',
  title: 'Switchyard / Rollout',
  description:
    'Where each rollout is, why, what its checks measured against their limits, and who gets the traffic.',
  variables: ['job', 'proxy_job', 'service', 'check'],
  rows: [glance, walk, verification, requests, history],
};
