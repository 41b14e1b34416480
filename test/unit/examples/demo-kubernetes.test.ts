/** What the demo on Kubernetes calls wrong, and how its report looks. */
import { describe, expect, it } from 'vitest';
import { complaints, type KubernetesReport, reportLines } from '../../../examples/demo-kubernetes/report.ts';

const CLEAN: KubernetesReport = {
  requests: 5000,
  failed: 0,
  misrouted: 0,
  refusedExpected: 40,
  refusedSeen: 40,
  streamsOpened: 20,
  streamsCut: 0,
  tenantsMovedWrongly: 0,
  rollouts: [
    { version: 'v2', outcome: 'Succeeded', because: '' },
    { version: 'v3', outcome: 'Aborted', because: '' },
    { version: 'v4', outcome: 'Succeeded', because: '' },
    { version: 'v4', outcome: 'RolledBack', because: '' },
  ],
  led: [
    { replica: 'switchyard-2', since: 1 },
    { replica: 'switchyard-1', since: 60.25 },
  ],
  leadersKilled: 1,
  envoy: '1.40.0',
};

describe('complaints', () => {
  it('are none where nobody was hurt, each rollout ended as it should, and another replica led', () => {
    expect(complaints(CLEAN)).toEqual([]);
  });

  it('name what was failed, misrouted, cut, moved or not refused', () => {
    expect(complaints({ ...CLEAN, failed: 1, misrouted: 2, streamsCut: 3, tenantsMovedWrongly: 4 })).toEqual([
      'failed is 1, not 0',
      'misrouted is 2, not 0',
      'streamsCut is 3, not 0',
      'tenantsMovedWrongly is 4, not 0',
    ]);
    expect(complaints({ ...CLEAN, refusedSeen: 39 })).toEqual(['refusals: 40 were due, 39 were seen']);
    expect(complaints({ ...CLEAN, requests: 0 })).toEqual(['nobody sent a request']);
  });

  it('name rollouts that ended otherwise, and a leader that nobody followed', () => {
    const [v2, ...others] = CLEAN.rollouts;
    const wrong = others.map((end) => (end.version === 'v3' ? { ...end, outcome: 'Succeeded' } : end));
    expect(complaints({ ...CLEAN, rollouts: v2 === undefined ? wrong : [v2, ...wrong] })).toEqual([
      'rollouts: due were v2 Succeeded, v3 Aborted, v4 Succeeded, v4 RolledBack; ' +
        'seen were v2 Succeeded, v3 Succeeded, v4 Succeeded, v4 RolledBack',
    ]);
    expect(complaints({ ...CLEAN, led: CLEAN.led.slice(1) })).toEqual(['1 leaders were killed, and 1 led']);
  });
});

it('the report says who led, and since when', () => {
  const lines = reportLines(CLEAN);
  expect(lines).toContain('failed                       0');
  expect(lines).toContain('led                          switchyard-2, since 1.0 s');
  expect(lines).toContain('led                          switchyard-1, since 60.3 s');
});
