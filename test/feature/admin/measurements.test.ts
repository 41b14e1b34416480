/** Lists of rollouts and measurements, reports, dry verifications and replays over the real wire. */
import { toJson } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MeasurementSchema, VerdictState } from '../../../src/gen/switchyard/admin/v1/measurements_pb.js';
import { RolloutState } from '../../../src/gen/switchyard/admin/v1/rollouts_pb.js';
import type { MeasuredOutcome } from '../../../src/model/measurement.ts';
import {
  applyManager,
  refusal,
  startTestController,
  type TestController,
} from '../../support/admin/controller.ts';
import { ScriptedRollouts } from '../../support/admin/scripted-rollouts.ts';
import { aMeasurement } from '../../support/rollout-records.ts';

let controller: TestController;
let rollouts: ScriptedRollouts;

beforeEach(async () => {
  rollouts = new ScriptedRollouts();
  controller = await startTestController({ replace: rollouts.replace });
  await applyManager(controller);
});
afterEach(() => controller.close());

describe('a list', () => {
  test('of rollouts is asked for a service and a limit', async () => {
    const listed = await controller.client.call('listRollouts', { service: 'manager', limit: 7 });
    expect(rollouts.asked).toEqual([{ verb: 'rollouts', request: { service: 'manager', limit: 7 } }]);
    expect(listed.rollouts).toMatchObject([
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
    rollouts.measured = [aMeasurement('success-rate', { state: 'NoData' }, { outcome })];
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
    expect(rollouts.asked.map(({ request }) => request)).toEqual([
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
  expect(rollouts.asked).toEqual([{ verb: 'verify', request: { service: 'manager', version: 'v43' } }]);
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
  expect(rollouts.asked).toEqual([{ verb: 'replay', request: { rollout: 'manager_v43_17', document } }]);
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
  expect(rollouts.asked[1]?.request).toEqual({ rollout: 'manager_v43_17' });
});
