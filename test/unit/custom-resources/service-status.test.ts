// What tools of Kubernetes read of a service. The port of kstatus below is the rule that Helm, Flux and kubectl's users rely on.
import { describe, expect, test } from 'vitest';
import type { Condition } from '../../../src/custom-resources/conditions.ts';
import {
  type StatusFacts,
  serviceStatus,
  unrecordedStatus,
} from '../../../src/custom-resources/service-status.ts';
import { instant } from '../../../src/model/instant.ts';
import { versionName } from '../../../src/model/names.ts';
import type { RolloutRecord } from '../../../src/model/rollout.ts';
import type { ServiceRecord, Traffic } from '../../../src/model/state.ts';
import type { ServiceView } from '../../../src/operations/types.ts';
import { aRecord, aSpec, aVersion } from '../../support/records.ts';
import { aRollout } from '../../support/rollout-records.ts';

const [v42, v43] = [versionName('v42'), versionName('v43')];
const NOW = instant(Date.parse('2026-11-30T03:04:05.678Z'));

function aView(record: Partial<ServiceRecord>, ready: Readonly<Record<string, number>> = {}): ServiceView {
  const full = aRecord({
    spec: aSpec({ version: v43 }),
    traffic: { kind: 'steady', primary: v42 },
    versions: [aVersion('v42', { state: 'Primary' }), aVersion('v43', { state: 'Ramping' })],
    ...record,
  });
  return {
    record: full,
    versions: full.versions.map((version) => ({
      record: version,
      instances: [],
      readyEndpoints: ready[version.name] ?? 2,
      weight: 0,
      isPrevious: false,
    })),
    effectiveTraffic: full.traffic,
    alerts: [],
  };
}

function statusOf(view: ServiceView, more: Partial<StatusFacts> = {}) {
  return serviceStatus({ view, generation: 7, publication: 31, now: NOW, before: [], ...more });
}

/** As cli-utils' kstatus decides for resources that it does not know. */
function kstatus(object: {
  readonly metadata: { readonly generation: number };
  readonly status: { readonly observedGeneration: number; readonly conditions: readonly Condition[] };
}): 'Current' | 'InProgress' | 'Failed' {
  const { metadata, status } = object;
  if (status.observedGeneration !== metadata.generation) return 'InProgress';
  const is = (type: string, wanted: string) =>
    status.conditions.some((condition) => condition.type === type && condition.status === wanted);
  if (is('Reconciling', 'True')) return 'InProgress';
  if (is('Stalled', 'True')) return 'Failed';
  return is('Ready', 'False') || is('Ready', 'Unknown') ? 'InProgress' : 'Current';
}

const onV43: Traffic = { kind: 'steady', primary: v43, previous: v42 };
const shifting: Traffic = { kind: 'shifting', primary: v42, candidate: v43, weight: 25, salt: 's' };
const ended = (state: RolloutRecord['state'], because = 'errors: 90 % is below 99 %') =>
  aRollout({ state, because, endedAt: NOW });

describe('what tools read of a service', () => {
  test.each([
    ['a rollout that goes on', aView({ traffic: shifting, rollout: aRollout() }), 'InProgress', 'Unknown'],
    [
      'a rollout that waits for a person',
      aView({ traffic: shifting, rollout: aRollout({ state: 'Paused', stateReason: 'Approval' }) }),
      'InProgress',
      'False',
    ],
    ['a rollout that succeeded', aView({ traffic: onV43, rollout: ended('Succeeded') }), 'Current', 'True'],
    ['a rollout that was aborted', aView({ rollout: ended('Aborted') }), 'Failed', 'False'],
    ['a rollout that was rolled back', aView({ rollout: ended('RolledBack') }), 'Failed', 'False'],
    ['a rollout that failed', aView({ rollout: ended('Failed') }), 'Failed', 'False'],
    [
      'a primary without a ready endpoint',
      aView({ traffic: onV43, rollout: ended('Succeeded') }, { v43: 0 }),
      'InProgress',
      'False',
    ],
    ['a service without a primary', aView({ traffic: { kind: 'none' } }), 'InProgress', 'Unknown'],
  ] as const)('%s', (_what, view, overall, ready) => {
    const status = statusOf(view);
    expect(kstatus({ metadata: { generation: 7 }, status })).toBe(overall);
    expect(status.conditions.find(({ type }) => type === 'Ready')?.status).toBe(ready);
  });

  test('of a newer spec nothing is said yet', () => {
    const status = statusOf(aView({ traffic: onV43, rollout: ended('Succeeded') }));
    expect(kstatus({ metadata: { generation: 8 }, status })).toBe('InProgress');
  });

  test('a spec that was refused is told with what is wrong, and what goes on', () => {
    const refused = { generation: 8, message: 'spec.pin.header: must differ from the tenant header' };
    const status = statusOf(aView({ traffic: onV43, rollout: ended('Succeeded') }), { refused });
    expect(kstatus({ metadata: { generation: 8 }, status })).toBe('Failed');
    expect(status.conditions.find(({ type }) => type === 'Stalled')).toEqual({
      type: 'Stalled',
      status: 'True',
      reason: 'InvalidSpec',
      message: 'spec.pin.header: must differ from the tenant header. The spec before it is still followed',
      lastTransitionTime: '2026-11-30T03:04:05Z',
      observedGeneration: 8,
    });
    expect(status.primary).toBe('v43');
    expect(
      kstatus({
        metadata: { generation: 8 },
        status: unrecordedStatus({ kind: 'Stalled', reason: 'InvalidSpec', message: refused.message }, 8, {
          now: NOW,
          before: [],
        }),
      }),
    ).toBe('Failed');
  });

  test('all that a person looks for is there', () => {
    expect(statusOf(aView({ traffic: shifting, rollout: aRollout() }))).toMatchObject({
      observedGeneration: 7,
      primary: 'v42',
      candidate: 'v43',
      weight: 25,
      rollout: expect.stringMatching(/^manager-v43-[0-9a-f]{8}$/) as string,
      phase: 'Progressing at Shift-25',
      publication: 31,
      versions: [
        { name: 'v42', state: 'Primary', ready: 2 },
        { name: 'v43', state: 'Ramping', ready: 2 },
      ],
    });
  });

  test('a condition keeps its time while its status is the same, whatever its words are', () => {
    const first = statusOf(aView({ traffic: shifting, rollout: aRollout() }));
    const later = instant(NOW + 60_000);
    const second = statusOf(aView({ traffic: shifting, rollout: aRollout({ because: 'other words' }) }), {
      before: first.conditions,
      now: later,
    });
    expect(second.conditions.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual(
      first.conditions.map(({ lastTransitionTime }) => lastTransitionTime),
    );
    const third = statusOf(aView({ traffic: onV43, rollout: ended('Succeeded') }), {
      before: second.conditions,
      now: later,
    });
    expect(third.conditions).toEqual([
      expect.objectContaining({ type: 'PrimaryServing', lastTransitionTime: '2026-11-30T03:04:05Z' }),
      expect.objectContaining({ type: 'Ready', status: 'True', lastTransitionTime: '2026-11-30T03:05:05Z' }),
    ]);
  });

  test('reasons are words that the schema takes, and no message is empty', () => {
    const views = [
      aView({ traffic: shifting, rollout: aRollout() }),
      aView({ rollout: ended('Aborted') }),
      aView({ traffic: { kind: 'none' } }),
      aView({ traffic: onV43, rollout: ended('Succeeded') }, { v43: 0 }),
      aView({ spec: aSpec({ version: v42 }), traffic: onV43 }),
    ];
    for (const { reason, message } of views.flatMap((view) => statusOf(view).conditions)) {
      expect(reason).toMatch(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/);
      expect(message).not.toBe('');
    }
  });
});
