/** The calls about rollouts over the real wire: what reaches the operations, and what becomes of their answers. */
import { toJson } from '@bufbuild/protobuf';
import { durationFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RequestInit, Response, WatchMethod } from '../../../src/admin/contract.ts';
import { MeasurementSchema, VerdictState } from '../../../src/gen/switchyard/admin/v1/measurements_pb.js';
import {
  RolloutState,
  RolloutStepKind,
  StepProgress,
} from '../../../src/gen/switchyard/admin/v1/rollouts_pb.js';
import type { MeasuredOutcome, Measurement } from '../../../src/model/measurement.ts';
import type { RolloutOperations, RolloutView } from '../../../src/operations/rollout-types.ts';
import { OperationError, type Operations } from '../../../src/operations/types.ts';
import {
  applyManager,
  change,
  refusal,
  startTestController,
  type TestController,
} from '../../support/admin/controller.ts';
import {
  aCheck,
  aMeasurement,
  aRolledBackView,
  aRollout,
  aRolloutView,
  aRun,
  NOW,
  v42,
  v43,
} from '../../support/rollout-views.ts';

let controller: TestController;
let ended: AbortController;
/** What the operations were asked, by verb. */
let asked: { verb: string; request: unknown }[];
/** What they answer. */
let view: RolloutView | undefined;
let measured: Measurement[];
const changed = new Set<() => void>();

/** The verbs of rollouts as a test wants them; all others are the controller's. */
function scripted(real: Operations): Partial<RolloutOperations> & Pick<Operations, 'subscribe'> {
  const verb =
    <Request>(name: string) =>
    async (request: Request) => {
      asked.push({ verb: name, request });
      const [service] = real.services();
      if (service === undefined) throw new Error('the test has applied no service');
      return { service: service.record, message: `did ${name}`, publication: 0, impact: ['acme moves back'] };
    };
  return {
    deploy: verb('deploy'),
    pause: verb('pause'),
    resume: verb('resume'),
    promote: verb('promote'),
    abort: verb('abort'),
    retry: verb('retry'),
    freeze: verb('freeze'),
    unfreeze: verb('unfreeze'),
    rollout(service) {
      if (view === undefined) throw new OperationError('NotFound', `${service} has had no rollout yet`);
      return view;
    },
    rollouts: async (request) => {
      asked.push({ verb: 'rollouts', request });
      return [aRollout({ attempt: 2 }), aRollout({ id: 'manager_v42_3' as never, state: 'Succeeded' })];
    },
    measurements: async (request) => {
      asked.push({ verb: 'measurements', request });
      return measured;
    },
    report: async (request) => {
      asked.push({ verb: 'report', request });
      return { rollout: aRollout(), summary: 'nobody was hurt' } as never;
    },
    verify: async (whole) => {
      const { signal: _, ...request } = whole;
      asked.push({ verb: 'verify', request });
      const verdict = { state: 'NoData', because: 'too little traffic', deciding: ['success-rate'] } as const;
      return {
        version: v43,
        baseline: v42,
        checks: [{ check: aCheck('success-rate'), measurement: aMeasurement('success-rate', {}) }],
        verdict,
      };
    },
    replay: async (request) => {
      asked.push({ verb: 'replay', request });
      const passed = { state: 'Passed', because: 'all passed', deciding: [], score: 100 } as const;
      const failed = { state: 'Failed', because: 'success-rate', deciding: ['success-rate'] } as const;
      return {
        rollout: aRollout(),
        message: 'it would have ended at Shift-25',
        steps: [
          {
            step: 'Shift-25',
            attempt: 1,
            decided: passed,
            wouldDecide: failed,
            at: aRollout().since,
            checks: [aRun(undefined)],
            unmeasured: ['latency'],
          },
        ],
      };
    },
    subscribe(listener) {
      changed.add(listener);
      const unsubscribe = real.subscribe(listener);
      return () => {
        changed.delete(listener);
        unsubscribe();
      };
    },
  };
}

beforeEach(async () => {
  asked = [];
  measured = [];
  view = aRolloutView();
  ended = new AbortController();
  controller = await startTestController({ replace: scripted });
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
      expect(asked).toEqual([{ verb, request: { ...wanted, ...parsed } }]);
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
    expect(asked).toEqual([]);
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
    expect(shown?.steps.map(({ progress }) => progress)).toEqual(
      [1, 1, 1, 2, 3, 3].map((progress) => progress as StepProgress),
    );
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
    view = aRolloutView({ record: aRollout({ startedAt: startedAt as never }) });
    const shown = (await controller.client.call('getRollout', { service: 'manager' })).view;
    expect(shown?.decisions.map(({ sequence }) => sequence)).toEqual(
      events.filter(({ at }) => at && timestampMs(at) >= startedAt).map(({ sequence }) => sequence),
    );
    view = aRolloutView({ record: aRollout({ startedAt: (Date.now() + 60_000) as never }) });
    const later = (await controller.client.call('getRollout', { service: 'manager' })).view;
    expect(later?.decisions).toEqual([]);
  });

  test('of unknown open work says why, and of work that is counted when it will have ended', async () => {
    view = aRolledBackView();
    const shown = (await controller.client.call('getRollout', { service: 'manager' })).view;
    expect(shown?.openWork).toMatchObject([
      { version: 'v41', open: 12n, problem: '' },
      { version: 'v43', problem: 'instance manager-v43-1 does not answer' },
    ]);
    expect(shown?.openWork[1]?.open).toBeUndefined();
    expect(timestampMs(shown?.openWork[0]?.expectedDrained ?? expect.fail('no end'))).toBe(NOW + 840_000);
  });

  test('of a service that has had none is NOT_FOUND', async () => {
    view = undefined;
    const refused = await refusal(controller.client.call('getRollout', { service: 'manager' }));
    expect(refused.code).toBe(status.NOT_FOUND);
  });
});

describe('a watch of a rollout', () => {
  test('sends the view at once, then when it has changed, and equal views once', async () => {
    const views = watch('watchRollout', { service: 'manager' });
    expect((await views.next()).value?.view?.setWeight).toBe(25);
    for (const notify of changed) notify();
    view = aRolloutView({ setWeight: 50 });
    for (const notify of changed) notify();
    expect((await views.next()).value?.view?.setWeight).toBe(50);
  });

  test('looks again by itself, since measured weights change without an event', async () => {
    const views = watch('watchRollout', { service: 'manager' });
    await views.next();
    view = aRolloutView({ actualWeight: { percent: 26.5, requests: 4000 } });
    expect((await views.next()).value?.view?.actualWeight?.percent).toBe(26.5);
  });

  test('begins without a view where there is no rollout yet', async () => {
    view = undefined;
    const views = watch('watchRollout', { service: 'manager' });
    expect((await views.next()).value?.view).toBeUndefined();
    view = aRolloutView();
    for (const notify of changed) notify();
    expect((await views.next()).value?.view?.rollout?.id).toBe('manager_v43_17');
  });

  test('of an unknown service is NOT_FOUND', async () => {
    const refused = await refusal(watch('watchRollout', { service: 'nobody' }).next());
    expect(refused.code).toBe(status.NOT_FOUND);
  });
});

describe('a list', () => {
  test('of rollouts is asked for a service and a limit', async () => {
    const { rollouts } = await controller.client.call('listRollouts', { service: 'manager', limit: 7 });
    expect(asked).toEqual([{ verb: 'rollouts', request: { service: 'manager', limit: 7 } }]);
    expect(rollouts).toMatchObject([
      { id: 'manager_v43_17', attempt: 2 },
      { id: 'manager_v42_3', state: RolloutState.SUCCEEDED },
    ]);
  });

  test('of rollouts with too high a limit is INVALID_ARGUMENT, of an unknown service NOT_FOUND', async () => {
    const limited = await refusal(controller.client.call('listRollouts', { limit: 1001 }));
    expect(limited).toMatchObject({ code: status.INVALID_ARGUMENT, message: 'limit: 1001 is above 1000' });
    const unknown = await refusal(controller.client.call('listRollouts', { service: 'nobody' }));
    expect(unknown.code).toBe(status.NOT_FOUND);
  });

  test.each<[string, MeasuredOutcome, object]>([
    [
      'a ratio',
      {
        kind: 'Data',
        data: { kind: 'ratio', candidate: { events: 2, total: 9 }, baseline: { events: 0, total: 4 } },
      },
      { ratio: { candidate: { events: 2, total: 9 }, baseline: { total: 4 } } },
    ],
    [
      'a value of one side',
      { kind: 'Data', data: { kind: 'value', candidate: 0.5 } },
      { value: { candidate: 0.5 } },
    ],
    [
      'buckets, the last one without a bound',
      {
        kind: 'Data',
        data: {
          kind: 'histogram',
          candidate: [
            { upTo: 5, count: 3 },
            { upTo: null, count: 1 },
          ],
        },
      },
      { histogram: { candidate: [{ upTo: 5, count: 3 }, { count: 1 }] } },
    ],
    [
      'an answer',
      { kind: 'Data', data: { kind: 'answer', answer: 'refused', detail: 'change freeze' } },
      { answer: { answer: 'ANSWER_KIND_REFUSED', detail: 'change freeze' } },
    ],
    ['nothing', { kind: 'NoData', reason: 'the series is stale' }, { noData: 'the series is stale' }],
    ['a failure', { kind: 'Error', reason: 'connection refused' }, { error: 'connection refused' }],
  ])('of measurements shows %s as it was stored, and nothing else', async (_, outcome, expected) => {
    measured = [aMeasurement('success-rate', { state: 'NoData' }, { outcome })];
    const { measurements } = await controller.client.call('listMeasurements', { rollout: 'manager_v43_17' });
    const [shown = expect.fail('no measurement')] = measurements;
    const { ratio, value, histogram, answer, noData, error, ...rest } = toJson(
      MeasurementSchema,
      shown,
    ) as Record<string, unknown>;
    const outcomes = Object.entries({ ratio, value, histogram, answer, noData, error });
    expect(Object.fromEntries(outcomes.filter(([, part]) => part !== undefined))).toEqual(expected);
    expect(rest).toMatchObject({
      rollout: 'manager_v43_17',
      step: 'Shift-25',
      judgement: { state: 'CHECK_STATE_NO_DATA' },
    });
  });

  test.each(['', 'manager', 'manager_v43', '../etc_v1_2', 'a\nb_v1_2'])(
    'of measurements of %j is INVALID_ARGUMENT',
    async (rollout) => {
      const refused = await refusal(controller.client.call('listMeasurements', { rollout }));
      expect(refused.code).toBe(status.INVALID_ARGUMENT);
      expect(refused.message).toMatch(/^rollout: .*for example manager_v43_17/);
    },
  );
});

describe('a report', () => {
  test('is JSON text, of a rollout or of the last one of a service', async () => {
    const { json } = await controller.client.call('getReport', {
      subject: { case: 'service', value: 'manager' },
    });
    expect(JSON.parse(json)).toMatchObject({ summary: 'nobody was hurt', rollout: { id: 'manager_v43_17' } });
    await controller.client.call('getReport', { subject: { case: 'rollout', value: 'manager_v43_17' } });
    expect(asked.map(({ request }) => request)).toEqual([
      { service: 'manager' },
      { rollout: 'manager_v43_17' },
    ]);
  });

  test('of nothing is INVALID_ARGUMENT', async () => {
    expect((await refusal(controller.client.call('getReport', {}))).code).toBe(status.INVALID_ARGUMENT);
  });
});

test('a dry verification answers checks, measurements and what they add up to', async () => {
  const answer = await controller.client.call('verify', { service: 'manager', version: 'v43' });
  expect(asked).toEqual([{ verb: 'verify', request: { service: 'manager', version: 'v43' } }]);
  expect(answer).toMatchObject({
    version: 'v43',
    baseline: 'v42',
    verdict: { state: VerdictState.NO_DATA, because: 'too little traffic' },
    checks: [
      { check: { name: 'success-rate', metric: 'SuccessRate', minimumSamples: 100n, critical: true } },
    ],
  });
});

test('a replay passes the other document on and answers step by step', async () => {
  const document = { file: 'other.yaml', text: 'kind: VersionedService' };
  const answer = await controller.client.call('replay', { rollout: 'manager_v43_17', document });
  expect(asked).toEqual([{ verb: 'replay', request: { rollout: 'manager_v43_17', document } }]);
  expect(answer).toMatchObject({
    message: 'it would have ended at Shift-25',
    steps: [
      {
        step: 'Shift-25',
        decided: { state: VerdictState.PASSED, score: 100 },
        wouldDecide: { state: VerdictState.FAILED },
        unmeasured: ['latency'],
      },
    ],
  });
  await controller.client.call('replay', { rollout: 'manager_v43_17' });
  expect(asked[1]?.request).toEqual({ rollout: 'manager_v43_17' });
});
