/** Verbs and views of rollouts over the real wire: what reaches the operations, and what becomes of their answers. */
import { durationFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RequestInit, Response, WatchMethod } from '../../../src/admin/contract.ts';
import { VerdictState } from '../../../src/gen/switchyard/admin/v1/measurements_pb.js';
import {
  RolloutState,
  RolloutStepKind,
  StepProgress,
} from '../../../src/gen/switchyard/admin/v1/rollouts_pb.js';
import {
  applyManager,
  change,
  refusal,
  startTestController,
  type TestController,
} from '../../support/admin/controller.ts';
import { ScriptedRollouts } from '../../support/admin/scripted-rollouts.ts';
import { aRollout, NOW } from '../../support/rollout-records.ts';
import { aRolledBackView, aRolloutView } from '../../support/rollout-views.ts';

let controller: TestController;
let ended: AbortController;
let rollouts: ScriptedRollouts;

beforeEach(async () => {
  rollouts = new ScriptedRollouts();
  ended = new AbortController();
  controller = await startTestController({ replace: rollouts.replace });
  await applyManager(controller);
});
afterEach(async () => {
  ended.abort();
  await controller.close();
});

function watch<M extends WatchMethod>(method: M, request: RequestInit<M>): AsyncIterator<Response<M>> {
  return controller.client.watch(method, request, ended.signal)[Symbol.asyncIterator]();
}

/** What a change is to the operations. */
const wanted = { caller: { actor: 'ada', reason: 'because' }, service: 'manager', dryRun: false };

describe('a change of a rollout', () => {
  test.each([
    ['deploy', { version: 'v43', urgent: true }, 'deploy', { version: 'v43', urgent: true }],
    ['pauseRollout', {}, 'pause', {}],
    ['resumeRollout', {}, 'resume', {}],
    ['promoteRollout', { full: true }, 'promote', { full: true }],
    ['abortRollout', {}, 'abort', {}],
    ['retryRollout', {}, 'retry', {}],
    ['freeze', { duration: durationFromMs(60_000) }, 'freeze', { duration: 60_000 }],
    ['freeze', {}, 'freeze', {}],
    ['unfreeze', {}, 'unfreeze', {}],
  ] as const)(
    '%s reaches the operation with its fields, and answers whom it touches',
    async (method, fields, verb, parsed) => {
      const { result } = await controller.client.call(method, { change, ...fields });
      expect(rollouts.asked).toEqual([{ verb, request: { ...wanted, ...parsed } }]);
      expect(result).toMatchObject({ message: `did ${verb}`, impact: ['acme moves back'] });
      expect(result?.service?.name).toBe('manager');
    },
  );

  test.each([
    ['deploy', { change, version: 'V 43' }, 'version'],
    ['deploy', { version: 'v43' }, 'change'],
    ['freeze', { change, duration: durationFromMs(0) }, 'duration'],
    ['freeze', { change, duration: durationFromMs(-5) }, 'duration'],
    ['abortRollout', { change: { ...change, actor: '' } }, 'change.actor'],
  ] as const)('%s with a wrong field is INVALID_ARGUMENT and names it', async (method, request, field) => {
    const refused = await refusal(controller.client.call(method, request));
    expect(refused.code).toBe(status.INVALID_ARGUMENT);
    expect(refused.message).toMatch(new RegExp(`^${field}: `));
    expect(rollouts.asked).toEqual([]);
  });
});

describe('a view of a rollout', () => {
  test('has record, steps, weights, checks, versions, decisions and the way back', async () => {
    const shown = (await controller.client.call('getRollout', { service: 'manager' })).view;
    expect(shown).toMatchObject({
      rollout: {
        id: 'manager_v43_17',
        state: RolloutState.PROGRESSING,
        step: { kind: RolloutStepKind.SHIFT, name: 'Shift-25', weight: 25 },
      },
      setWeight: 25,
      actualWeight: { percent: 24.82, requests: 1204n },
      verdict: { state: VerdictState.RUNNING },
      wayBack: { isReady: true, to: 'v42', readyEndpoints: 3 },
    });
    expect(shown?.rollout?.endedAt).toBeUndefined();
    const { DONE, CURRENT, AHEAD } = StepProgress;
    const progress = [DONE, DONE, DONE, CURRENT, AHEAD, AHEAD];
    expect(shown?.steps.map((step) => step.progress)).toEqual(progress);
    expect(shown?.checks[1]?.run?.last?.judgement).toMatchObject({
      value: 183.4,
      baseline: 180.2,
      candidateSamples: 1204,
      baselineSamples: 3650,
      smallestEffect: 0.08,
    });
    expect(shown?.versions.map(({ name }) => name)).toEqual(['v1', 'v2']);
  });

  test('shows the events since it began, the oldest first, and none from before', async () => {
    const { events } = await controller.client.call('listEvents', { service: 'manager' });
    expect(events.length).toBeGreaterThan(1);
    const [, second] = events;
    const startedAt = timestampMs(second?.at ?? events[0]!.at!);
    rollouts.view = aRolloutView({ record: aRollout({ startedAt: startedAt as never }) });
    const shown = (await controller.client.call('getRollout', { service: 'manager' })).view;
    expect(shown?.decisions.map(({ sequence }) => sequence)).toEqual(
      events.filter(({ at }) => at && timestampMs(at) >= startedAt).map(({ sequence }) => sequence),
    );
    rollouts.view = aRolloutView({ record: aRollout({ startedAt: (Date.now() + 60_000) as never }) });
    const later = (await controller.client.call('getRollout', { service: 'manager' })).view;
    expect(later?.decisions).toEqual([]);
  });

  test('of unknown open work says why, and of work that is counted when it will have ended', async () => {
    rollouts.view = aRolledBackView();
    const shown = (await controller.client.call('getRollout', { service: 'manager' })).view;
    expect(shown?.openWork).toMatchObject([
      { version: 'v41', open: 12n, problem: '' },
      { version: 'v43', problem: 'instance manager-v43-1 does not answer' },
    ]);
    expect(shown?.openWork[1]?.open).toBeUndefined();
    expect(timestampMs(shown?.openWork[0]?.expectedDrained ?? expect.fail('no end'))).toBe(NOW + 840_000);
  });

  test('of a service that has had none is NOT_FOUND', async () => {
    rollouts.view = undefined;
    const refused = await refusal(controller.client.call('getRollout', { service: 'manager' }));
    expect(refused.code).toBe(status.NOT_FOUND);
  });
});

describe('a watch of a rollout', () => {
  test('sends the view at once, then when it has changed, and equal views once', async () => {
    const views = watch('watchRollout', { service: 'manager' });
    expect((await views.next()).value?.view?.setWeight).toBe(25);
    rollouts.notify();
    rollouts.view = aRolloutView({ setWeight: 50 });
    rollouts.notify();
    expect((await views.next()).value?.view?.setWeight).toBe(50);
  });

  test('looks again by itself, since measured weights change without an event', async () => {
    const views = watch('watchRollout', { service: 'manager' });
    await views.next();
    rollouts.view = aRolloutView({ actualWeight: { percent: 26.5, requests: 4000 } });
    expect((await views.next()).value?.view?.actualWeight?.percent).toBe(26.5);
  });

  test('begins without a view where there is no rollout yet', async () => {
    rollouts.view = undefined;
    const views = watch('watchRollout', { service: 'manager' });
    expect((await views.next()).value?.view).toBeUndefined();
    rollouts.view = aRolloutView();
    rollouts.notify();
    expect((await views.next()).value?.view?.rollout?.id).toBe('manager_v43_17');
  });

  test('of an unknown service is NOT_FOUND', async () => {
    const refused = await refusal(watch('watchRollout', { service: 'nobody' }).next());
    expect(refused.code).toBe(status.NOT_FOUND);
  });
});
