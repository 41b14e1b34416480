/** The work source contract over managers that share one store, and that any of them is enough. */
import { timestampFromMs, timestampNow } from '@bufbuild/protobuf/wkt';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createWorkflowWorkSource } from '../../src/adapters/workflow-work-source/work-source.ts';
import type { Instance } from '../../src/model/instance.ts';
import { instant } from '../../src/model/instant.ts';
import { serviceName, versionName } from '../../src/model/names.ts';
import type { WorkRequest } from '../../src/ports/work-source.ts';
import { eventually } from '../support/eventually.ts';
import { SharedWork } from '../support/shared-work.ts';
import { workSourceContract } from './work-source.ts';

const AS_OF = 1_700_000_000_000;

function asking(
  instances: readonly Instance[],
  peers: readonly Instance[] = [],
): Omit<WorkRequest, 'signal'> {
  return {
    source: { kind: 'workflow' },
    service: serviceName('manager'),
    version: versionName('v1'),
    instances,
    peers,
  };
}
const requestTo = (...whom: Parameters<typeof asking>): WorkRequest => ({
  ...asking(...whom),
  signal: AbortSignal.timeout(20_000),
});

workSourceContract('the work source over a shared store', async () => {
  const shared = new SharedWork();
  const manager = await shared.manager('v1');
  return {
    source: createWorkflowWorkSource(),
    request: asking([manager.instance]),
    open: (ids) =>
      shared.work.set('v1', {
        executions: BigInt(ids.length),
        open: ids.map((id) => ({ kind: 'execution', id })),
      }),
    answering: (does) => {
      manager.server.isAnswering = does;
    },
    fenced: () => shared.fencedSince.has('v1'),
    close: () => shared.close(),
  };
});

describe('the work source over a shared store', () => {
  let shared: SharedWork;
  const source = createWorkflowWorkSource({ patience: 50 });
  beforeEach(() => {
    shared = new SharedWork();
  });
  afterEach(() => shared.close());

  test('a fence has the count of its transaction with it, split by what is open, and is atomic', async () => {
    const manager = await shared.manager('v1');
    shared.work.set('v1', {
      asOf: timestampFromMs(AS_OF),
      executions: 1n,
      eventsQueued: 2n,
      eventsLeased: 3n,
      eventsDelayed: 4n,
      tasksQueued: 5n,
      tasksLeased: 6n,
      tasksDelayed: 7n,
      deadLetters: 8n,
      open: [{ kind: 'execution', id: 'e-1', since: timestampFromMs(AS_OF - 9_000) }],
    });
    const counted = {
      kind: 'counted',
      asOf: instant(AS_OF),
      total: 28,
      open: [{ kind: 'execution', id: 'e-1', instance: 'manager-v1', since: instant(AS_OF - 9_000) }],
      split: {
        executions: 1,
        events: { queued: 2, leased: 3, delayed: 4 },
        tasks: { queued: 5, leased: 6, delayed: 7 },
        deadLetters: 8,
      },
    };
    const request = requestTo([manager.instance]);
    expect(await source.count(request)).toEqual({ ...counted, certificate: 'observed' });
    expect(await source.fence(request)).toEqual({
      kind: 'confirmed',
      counted: { ...counted, certificate: 'atomic' },
    });
    expect(await source.count(request)).toEqual({ ...counted, certificate: 'atomic' });
  });

  test('its own version is asked first, and one answer is enough', async () => {
    const [own, second, other] = [
      await shared.manager('v1'),
      await shared.manager('v1'),
      await shared.manager('v2'),
    ];
    await createWorkflowWorkSource().fence(requestTo([own.instance, second.instance], [other.instance]));
    expect([own.asked, second.asked, other.asked]).toEqual([['FenceAndCount v1'], [], []]);
  });

  test('a version whose own instances are dead is fenced, counted and lifted by another', async () => {
    const dead = await shared.manager('v1');
    const { instance } = dead;
    await dead.server.close();
    const other = await shared.manager('v2');
    shared.work.set('v1', { executions: 3n });
    const request = requestTo([instance], [other.instance]);
    expect(await source.fence(request)).toMatchObject({
      kind: 'confirmed',
      counted: { total: 3, certificate: 'atomic' },
    });
    expect(await source.count(request)).toMatchObject({ kind: 'counted', total: 3 });
    expect(await source.lift(request)).toEqual({ kind: 'confirmed' });
    expect(shared.fencedSince.size).toBe(0);
    expect(await source.count(requestTo([], [other.instance]))).toMatchObject({ certificate: 'observed' });
  });

  test('an instance that hangs costs its patience only, and is not asked on when another has answered', async () => {
    const [hanging, other] = [await shared.manager('v1'), await shared.manager('v2')];
    hanging.server.isHanging = true;
    const before = performance.now();
    const request = requestTo([hanging.instance], [other.instance]);
    expect(await source.count(request)).toMatchObject({ kind: 'counted', total: 0 });
    expect(performance.now() - before).toBeLessThan(1_500);
  });

  test('the rounds turn, so that no ready instance is left out for good', async () => {
    const managers = await Promise.all([1, 2, 3, 4, 5].map((nth) => shared.manager('v1', `manager-${nth}`)));
    for (const manager of managers.slice(0, 4)) manager.server.isAnswering = false;
    const instances = managers.map(({ instance }) => instance);
    const turning = createWorkflowWorkSource();
    const counted = await eventually(async () => {
      const count = await turning.count(requestTo(instances));
      return count.kind === 'counted' ? count : undefined;
    });
    expect(counted.total).toBe(0);
  });

  test('only ready instances are asked; with none, nothing is known and nothing confirmed', async () => {
    const manager = await shared.manager('v1');
    const unready = { ...manager.instance, state: 'Unready' as const };
    for (const instances of [[], [unready]]) {
      const request = requestTo(instances);
      expect(await source.count(request)).toEqual({
        kind: 'unknown',
        reason: expect.stringContaining('no ready instance of any version'),
      });
      expect((await source.fence(request)).kind).toBe('unconfirmed');
      expect((await source.lift(request)).kind).toBe('unconfirmed');
    }
    expect(manager.asked).toEqual([]);
  });

  test('where nobody answers, each of them is named with its reason', async () => {
    const [one, two] = [await shared.manager('v1'), await shared.manager('v2')];
    one.server.isAnswering = false;
    two.server.isAnswering = false;
    expect(await source.count(requestTo([one.instance], [two.instance]))).toEqual({
      kind: 'unknown',
      reason: expect.stringMatching(
        /^manager-v1 at 127\.0\.0\.1:\d+: CountVersion answered INTERNAL: not now; manager-v2 at .*not now$/,
      ),
    });
  });

  test.each([
    ['no work', undefined, /work is absent/],
    ['another version', { version: 'v2', asOf: timestampNow() }, /answered for v2, not for v1/],
    ['no version', { asOf: timestampNow() }, /answered for no version, not for v1/],
    ['no time', { version: 'v1' }, /as_of is absent/],
    [
      'too much',
      { version: 'v1', asOf: timestampNow(), tasksQueued: 2n ** 60n },
      /tasks_queued is \d+, which cannot be right/,
    ],
  ])('an answer with %s is unknown, never zero', async (_, work, reason) => {
    const manager = await shared.manager('v1');
    shared.says = () => work;
    expect(await source.count(requestTo([manager.instance]))).toEqual({
      kind: 'unknown',
      reason: expect.stringMatching(reason),
    });
    expect((await source.fence(requestTo([manager.instance]))).kind).toBe('unconfirmed');
  });

  test('a fence is not confirmed by an answer that does not say since when', async () => {
    const manager = await shared.manager('v1');
    shared.says = (version) => ({ version, asOf: timestampNow() });
    expect(await source.fence(requestTo([manager.instance]))).toEqual({
      kind: 'unconfirmed',
      reasons: [expect.stringContaining('fenced_since is absent, so the version is not fenced')],
    });
  });

  test('a round that was ended says so', async () => {
    const manager = await shared.manager('v1');
    const request = { ...requestTo([manager.instance]), signal: AbortSignal.abort() };
    expect(await source.count(request)).toEqual({
      kind: 'unknown',
      reason: expect.stringContaining('ended'),
    });
  });
});
