import { describe, expect, it } from 'vitest';
import { History, type Stage } from '../../support/traffic/history.ts';
import type { Exchange } from '../../support/traffic/samples.ts';
import { findWrongMoves } from '../../support/traffic/tenants.ts';

const ACTIVE = ['v1', 'v2'];
const STEADY: Stage = { from: 'v1', to: 'v1', weight: 100, active: ACTIVE };

/** v1 alone until 100; 10% from 100 to 110, 50% from 200 to 210, all from 300 to 310, back from 400 to 410. */
function shiftAndRollback(): History {
  const history = new History(STEADY);
  for (const [at, weight] of [
    [100, 10],
    [200, 50],
    [300, 100],
  ] as const) {
    history.begin({ stage: { from: 'v1', to: 'v2', weight, active: ACTIVE }, at }).converged(at + 10);
  }
  history.begin({ stage: { from: 'v2', to: 'v1', weight: 100, active: ACTIVE }, at: 400 }).converged(410);
  return history;
}

/** One tenant's answers: at which time, by which version. */
function wrongMoves(
  history: History,
  answers: readonly (readonly [at: number, version: string, length?: number])[],
) {
  const exchanges = answers.map(
    ([at, version, length = 1]): Exchange => ({
      asked: { entrance: 'gateway', face: 'grpc', tenant: 'acme' },
      startedAt: at,
      endedAt: at + length,
      outcome: { kind: 'answered', version },
    }),
  );
  return findWrongMoves(exchanges, new Map([['gateway', history]])).map(({ exchange }) => exchange.startedAt);
}

describe('a tenant', () => {
  it('may move to the candidate once and back by the rollback', () => {
    expect(
      wrongMoves(shiftAndRollback(), [
        [50, 'v1'],
        [150, 'v1'],
        [250, 'v2'],
        [350, 'v2'],
        [450, 'v1'],
      ]),
    ).toEqual([]);
  });

  it('must not move within one stage', () => {
    expect(
      wrongMoves(shiftAndRollback(), [
        [220, 'v1'],
        [240, 'v2'],
      ]),
    ).toEqual([240]);
  });

  it('must not move back when the weight rises', () => {
    expect(
      wrongMoves(shiftAndRollback(), [
        [150, 'v2'],
        [250, 'v1'],
      ]),
    ).toEqual([250]);
  });

  it('may be seen on either side while a command is under way, but only one way', () => {
    expect(
      wrongMoves(shiftAndRollback(), [
        [202, 'v1'],
        [204, 'v2'],
        [208, 'v2'],
      ]),
    ).toEqual([]);
    expect(
      wrongMoves(shiftAndRollback(), [
        [202, 'v2'],
        [204, 'v1'],
      ]),
    ).toEqual([204]);
    expect(
      wrongMoves(shiftAndRollback(), [
        [402, 'v2'],
        [404, 'v1'],
        [406, 'v2'],
      ]),
    ).toEqual([406]);
  });

  it('is judged by the order of its answers, so that two under way at once say nothing', () => {
    expect(
      wrongMoves(shiftAndRollback(), [
        [202, 'v2', 6],
        [203, 'v1', 1],
      ]),
    ).toEqual([]);
  });

  it('may move either way once a lower weight has begun a new leg', () => {
    const history = new History(STEADY);
    history.begin({ stage: { from: 'v1', to: 'v2', weight: 50, active: ACTIVE }, at: 100 }).converged(110);
    history.begin({ stage: { from: 'v1', to: 'v2', weight: 20, active: ACTIVE }, at: 200 }).converged(210);
    expect(
      wrongMoves(history, [
        [150, 'v2'],
        [250, 'v1'],
      ]),
    ).toEqual([]);
  });
});

describe('a history', () => {
  it('forgets a command that was never carried out', () => {
    const history = new History(STEADY);
    const pending = history.begin({ stage: { ...STEADY, to: 'v2', weight: 100 }, at: 100 });
    expect(history.during(150, 151).map(({ to }) => to)).toEqual(['v1', 'v2']);
    pending.discarded();
    expect(history.during(150, 151).map(({ to }) => to)).toEqual(['v1']);
  });

  it('ends all earlier stages when a later one has converged, also those that never did', () => {
    const history = new History(STEADY);
    history.begin({ stage: { ...STEADY, to: 'v2' }, at: 100 });
    history.begin({ stage: { ...STEADY, to: 'v3' }, at: 200 }).converged(300);
    expect(history.during(250, 260).map(({ to }) => to)).toEqual(['v1', 'v2', 'v3']);
    expect(history.during(301, 302).map(({ to }) => to)).toEqual(['v3']);
  });
});
