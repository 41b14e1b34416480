/** The verbs on a rollout that goes on, as operators use them, with a real controller and a check that says what the test wants. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RolloutRecord, RolloutState } from '../../../src/model/rollout.ts';
import { findVersion } from '../../../src/model/state.ts';
import type { ProbeAnswer } from '../../../src/ports/prober.ts';
import {
  ControllerWorld,
  manager,
  managerDocument,
  operator,
  v2,
  v3,
} from '../../support/controller-world.ts';
import { eventually } from '../../support/eventually.ts';
import { ScriptedProber } from '../../support/scripted-prober.ts';

const WEIGHT = 25;
const approved: ProbeAnswer = { kind: 'approved', detail: 'all is well' };
const broken: ProbeAnswer = { kind: 'error', reason: 'nobody answers' };
const refused: ProbeAnswer = { kind: 'refused', detail: 'GET /healthz answered 500' };

let world: ControllerWorld;
let prober: ScriptedProber;
beforeEach(async () => {
  prober = new ScriptedProber();
  world = await ControllerWorld.start({ prober });
});
afterEach(() => world.stop());

/** One check at Verify and at each weight; `traffic`: further fields of spec.traffic. */
function document(wanted: string, traffic = '', retention = '{keep: 3, max: 4}'): string {
  const versions = { v1: [9001], v2: [9011], ...(wanted === 'v3' ? { v3: [9021] } : {}) };
  return `${managerDocument({ wanted, versions })}
  traffic: {steps: [${WEIGHT}, 100], promotion: Automatic${traffic}}
  retention: ${retention}
  verification:
    soak: 0s
    checks:
      - {name: smoke, http: {path: /healthz}, at: [Verify, Shift], interval: 100ms, count: 1, consecutiveErrorLimit: 1000}
`;
}

/** Begins the rollout of v2. */
async function begin(traffic = ''): Promise<void> {
  await world.apply(document('v1', traffic));
  await world.apply(document('v2', traffic));
}

function rollout(): RolloutRecord {
  const { record } = world.operations.service(manager);
  if (record.rollout === undefined) throw new Error('there is no rollout');
  return record.rollout;
}

function becomes(state: RolloutState, reason?: string): Promise<unknown> {
  const isThere = () =>
    rollout().state === state && (reason === undefined || rollout().stateReason === reason);
  return eventually(isThere, { what: `${state} ${reason ?? ''}` });
}

const isAt = (kind: RolloutRecord['step']['kind']) =>
  eventually(() => rollout().step.kind === kind && rollout().stepEverywhere !== undefined, { what: kind });

/** Resolves when the instances have been asked so many more times. */
async function askedAgain(times = 3): Promise<void> {
  const before = prober.probes.length;
  await eventually(() => prober.probes.length >= before + times, { what: `${times} more probes` });
}

const traffic = () => world.operations.service(manager).record.traffic;
const request = (reason = 'a test') => ({ ...world.request(), caller: { ...operator, reason } });
const promote = (more: { full?: boolean; reason?: string } = {}) =>
  world.operations.promote({ ...request(more.reason), full: more.full ?? false });

describe('pause', () => {
  test('holds the rollout where it is although its checks pass, until resume', async () => {
    prober.instances = broken;
    await begin();
    await isAt('Verify');
    await world.operations.pause(request());
    prober.instances = approved;
    await eventually(() => world.operations.rollout(manager).verdict?.state === 'Passed');
    expect(rollout()).toMatchObject({ state: 'Paused', stateReason: 'Operator', step: { kind: 'Verify' } });
    await world.operations.resume(request());
    await becomes('Succeeded');
  });

  test('does not hold back a failure: the traffic moves back, and the version is quarantined', async () => {
    await begin(', approvals: [100]');
    await becomes('Paused', 'Approval');
    await world.operations.pause(request());
    prober.instances = refused;
    await becomes('Aborted', 'ChecksFailed');
    expect(traffic()).toMatchObject({ kind: 'steady', primary: 'v1' });
    expect(findVersion(world.operations.service(manager).record, v2)?.mark?.kind).toBe('Quarantined');
  });
});

describe('promote', () => {
  test('past a gate that has not decided needs a reason, and goes one step', async () => {
    prober.instances = broken;
    await begin();
    await isAt('Verify');
    await expect(promote({ reason: '' })).rejects.toMatchObject({ code: 'InvalidArgument' });
    await promote();
    await isAt('Shift');
    await askedAgain();
    expect(rollout().step).toMatchObject({ kind: 'Shift', weight: WEIGHT });
    expect(traffic()).toMatchObject({ kind: 'shifting', candidate: 'v2', weight: WEIGHT });
  });

  test('--full goes on to 100 percent past all gates that are left', async () => {
    prober.instances = broken;
    await begin(', approvals: [100], stepDuration: 1h');
    await isAt('Verify');
    await promote({ full: true });
    await becomes('Succeeded');
    expect(traffic()).toMatchObject({ kind: 'steady', primary: 'v2', previous: 'v1' });
  });

  test('gives the approval that a weight waits for', async () => {
    await begin(', approvals: [100]');
    await becomes('Paused', 'Approval');
    expect(traffic()).toMatchObject({ kind: 'shifting', weight: WEIGHT });
    await promote({ reason: '' });
    await becomes('Succeeded');
  });
});

test('abort during a shift brings all default traffic back in one publication', async () => {
  await begin(', stepDuration: 1h');
  await isAt('Shift');
  const before = world.proxies.published.length;
  await world.operations.abort(request());
  expect(rollout()).toMatchObject({ state: 'Aborted', because: 'aborted by tester: a test' });
  expect(world.proxies.published.slice(before).map(({ table }) => table.services[0]?.defaultRoute)).toEqual([
    { kind: 'Single', version: 'v1' },
  ]);
});

test('retry walks an ended rollout again, and judges it by new measurements', async () => {
  prober.instances = refused;
  await begin();
  await becomes('Aborted', 'ChecksFailed');
  prober.instances = approved;
  await world.operations.retry(request());
  await becomes('Succeeded');
  expect(rollout().attempt).toBe(2);
  const measured = await world.operations.measurements(rollout().id);
  const verdicts = measured
    .filter(({ step }) => step === 'Verify')
    .map((each) => [each.attempt, each.judgement.state]);
  expect(verdicts).toEqual([
    [1, 'Failed'],
    [2, 'Passed'],
  ]);
});

test('a freeze lets nothing move forward until unfreeze', async () => {
  await world.apply(document('v1'));
  await world.operations.freeze(request());
  await world.apply(document('v2'));
  await becomes('Waiting', 'Frozen');
  expect(traffic()).toMatchObject({ kind: 'steady', primary: 'v1' });
  await world.operations.unfreeze(request());
  await becomes('Succeeded');
});

test('set-weight by hand stops the rollout; resume goes on from where the traffic is', async () => {
  await begin(', stepDuration: 1h');
  await isAt('Shift');
  await world.operations.setWeight({ ...request(), version: v2, weight: 60, waiveGates: true });
  expect(rollout()).toMatchObject({ state: 'Paused', stateReason: 'OperatorOverride' });
  await world.operations.resume(request());
  await isAt('Shift');
  expect(traffic()).toMatchObject({ kind: 'shifting', candidate: 'v2', weight: 60 });
  await promote({ full: true });
  await becomes('Succeeded');
});

test('a new version during a shift first brings the traffic back, then begins its own rollout', async () => {
  await begin(', stepDuration: 1h');
  await isAt('Shift');
  const before = world.proxies.published.length;
  prober.instances = broken;
  await world.apply(document('v3', ', stepDuration: 1h'));
  await eventually(() => rollout().version === v3 && rollout().step.kind === 'Verify');
  const [first] = world.proxies.published.slice(before);
  expect(first?.table.services[0]?.defaultRoute).toEqual({ kind: 'Single', version: 'v1' });
  expect(rollout()).toMatchObject({ baseline: 'v1', state: 'Progressing' });
  expect(findVersion(world.operations.service(manager).record, v2)?.mark?.kind).toBe('Abandoned');
});

test('a version beyond retention.keep is torn down by itself, but never while it has open work', async () => {
  await begin();
  await becomes('Succeeded');
  world.work.say(['stream-1']);
  await world.apply(document('v3', '', '{keep: 2, max: 3}'));
  await becomes('Succeeded');
  await world.becomes('v1', 'Draining');
  expect(world.work.fenced).toBe(true);
  expect(traffic()).toMatchObject({ kind: 'steady', primary: 'v3', previous: 'v2' });
  world.work.say([]);
  await world.becomes('v1', 'Retired');
});

describe('deploy --urgent', () => {
  const deploy = (urgent: boolean, reason = 'a test') =>
    world.operations.deploy({ ...request(reason), version: v2, urgent });

  test('skips waits, and needs a reason', async () => {
    await world.apply(document('v1', ', stepDuration: 1h'));
    await expect(deploy(true, '')).rejects.toMatchObject({ code: 'InvalidArgument' });
    await deploy(true);
    await becomes('Succeeded');
  });

  test('never skips a check', async () => {
    prober.instances = broken;
    await world.apply(document('v1'));
    await deploy(true);
    await isAt('Verify');
    await askedAgain();
    expect(rollout().step.kind).toBe('Verify');
  });
});
