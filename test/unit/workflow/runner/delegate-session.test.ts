// What a manager believes of one delegate: places, and the leases that are prolonged for it.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant } from '../../../../src/model/instant.ts';
import { tenantName, versionName } from '../../../../src/model/names.ts';
import type { DelegateId, ExecutionId, TaskId } from '../../../../src/model/workflow.ts';
import type { ClaimedTask, TaskLease } from '../../../../src/ports/workflow-store.ts';
import { DelegateSession, sortedByAge } from '../../../../src/workflow/runner/delegate-session.ts';
import { seed } from '../../../support/seed.ts';

const V1 = versionName('v1');
const NOW = instant(1_000_000);

function session(capacity = 2): DelegateSession {
  return new DelegateSession({
    arrival: {
      worker: { delegate: 'box-1' as DelegateId, version: V1 },
      tenant: tenantName('acme'),
      tags: [],
      capacity,
      running: [],
    },
    link: { assign: () => {}, stop: () => {}, end: () => {} },
    versions: [V1],
    now: NOW,
  });
}

const lease = (task: string, token = 1): TaskLease => ({ task: task as TaskId, token });

function claimed(task: string, token = 1): ClaimedTask {
  return {
    task: {
      id: task as TaskId,
      execution: 'e' as ExecutionId,
      tenant: tenantName('acme'),
      version: V1,
      key: 'work',
      kind: 'shell',
      payload: null,
      tags: [],
      priority: 5,
      timeout: 1_000,
      attempt: 1,
      maxAttempts: 3,
    },
    lease: { token, until: instant(NOW + 1_000) },
    delegate: 'box-1' as DelegateId,
  };
}

describe('a place', () => {
  test('is taken by a task that was sent, until its result has come', () => {
    const delegate = session(1);
    expect([delegate.take(claimed('a')), delegate.free, delegate.take(claimed('b'))]).toEqual([
      true,
      0,
      false,
    ]);
    delegate.release(lease('a'));
    expect(delegate.free).toBe(1);
  });

  test('is kept while the task may be on its way, and free when it was not named by the end of its lease', () => {
    const delegate = session(1);
    delegate.take(claimed('a'));
    delegate.heard({ capacity: 1, running: [], now: NOW });
    expect(delegate.free).toBe(0);
    delegate.heard({ capacity: 1, running: [], now: instant(NOW + 1_001) });
    expect(delegate.free).toBe(1);
  });

  test('is free at once when the delegate takes none any more and does not name the task, which it refuses so', () => {
    const delegate = session(2);
    delegate.take(claimed('a'));
    delegate.take(claimed('b'));
    expect(delegate.heard({ capacity: 0, running: [lease('a')], now: NOW }).refused).toEqual([lease('b')]);
    expect(delegate.taken).toBe(1);
  });

  test('is free when a task that ran is named no more', () => {
    const delegate = session(1);
    delegate.take(claimed('a'));
    delegate.heard({ capacity: 1, running: [lease('a')], now: NOW });
    delegate.heard({ capacity: 1, running: [], now: NOW });
    expect(delegate.free).toBe(1);
  });

  test('is not free while a task that was told to stop is still named', () => {
    const delegate = session(1);
    delegate.adopt([lease('a')]);
    expect([delegate.stopping(lease('a')), delegate.stopping(lease('a'))]).toEqual([true, false]);
    delegate.heard({ capacity: 1, running: [lease('a')], now: NOW });
    expect(delegate.free).toBe(0);
    delegate.heard({ capacity: 1, running: [], now: NOW });
    expect(delegate.free).toBe(1);
  });
});

describe('a task', () => {
  test('that a delegate only says is its own is so once the store has prolonged its lease', () => {
    const delegate = session();
    delegate.heard({ capacity: 2, running: [lease('brought')], now: NOW });
    expect(delegate.owns(lease('brought'))).toBe(false);
    delegate.confirmed(lease('brought'));
    expect(delegate.owns(lease('brought'))).toBe(true);
    expect(delegate.owns(lease('brought', 2))).toBe(false);
  });

  test('that was sent to it is its own', () => {
    const delegate = session();
    delegate.take(claimed('a'));
    expect([delegate.owns(lease('a')), delegate.owns(lease('b'))]).toEqual([true, false]);
  });
});

describe('a lease', () => {
  test('is prolonged when it is named, also one that was not assigned here', () => {
    const { renew } = session().heard({ capacity: 2, running: [lease('brought', 7)], now: NOW });
    expect(renew).toEqual([lease('brought', 7)]);
  });

  test('is not prolonged of a task that is to stop', () => {
    const delegate = session();
    delegate.adopt([lease('a')]);
    delegate.stopping(lease('a'));
    expect(delegate.heard({ capacity: 2, running: [lease('a')], now: NOW }).renew).toEqual([]);
  });

  test('of an earlier attempt is outdated beside a later one of the same task', () => {
    const running = [lease('a', 1), lease('a', 3), lease('a', 2), lease('b', 1)];
    expect(session(4).heard({ capacity: 4, running, now: NOW })).toEqual({
      renew: [lease('a', 3), lease('b', 1)],
      outdated: [lease('a', 1), lease('a', 2)],
      refused: [],
    });
  });
});

test('of any leases the newest of each task is kept, and every other one is outdated', () => {
  const leases = fc.array(
    fc.record({ task: fc.constantFrom('a', 'b', 'c'), token: fc.integer({ min: 1, max: 9 }) }),
  );
  fc.assert(
    fc.property(leases, (given) => {
      const all = given.map(({ task, token }) => lease(task, token));
      const { newest, outdated } = sortedByAge(all);
      expect(newest.length + outdated.length).toBe(all.length);
      for (const { task, token } of newest) {
        expect(token).toBe(Math.max(...all.filter((each) => each.task === task).map((each) => each.token)));
      }
      expect(new Set(newest.map(({ task }) => task)).size).toBe(newest.length);
    }),
    { seed: seed() },
  );
});

test('whatever is sent, named and finished, places taken are never more than the most that was allowed or named', () => {
  const moves = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('take' as const), task: fc.nat(9) }),
      fc.record({ kind: fc.constant('release' as const), task: fc.nat(9) }),
      fc.record({ kind: fc.constant('heard' as const), named: fc.uniqueArray(fc.nat(9), { maxLength: 3 }) }),
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(moves, (given) => {
      const delegate = session(3);
      for (const move of given) {
        if (move.kind === 'take') delegate.take(claimed(`t${move.task}`));
        else if (move.kind === 'release') delegate.release(lease(`t${move.task}`));
        else delegate.heard({ capacity: 3, running: move.named.map((task) => lease(`t${task}`)), now: NOW });
        expect(delegate.free).toBe(Math.max(0, 3 - delegate.taken));
        expect(delegate.slots.free).toBe(delegate.free);
        expect(delegate.taken).toBeLessThanOrEqual(6);
      }
    }),
    { seed: seed() },
  );
});
