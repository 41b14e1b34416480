/** What requests may meet while a version is taken away beside everything else. */
import { describe, expect, it } from 'vitest';
import { History } from '../../support/traffic/history.ts';
import { judge } from '../../support/traffic/judge.ts';
import type { Outcome } from '../../support/traffic/samples.ts';

const ENTRANCE = 'gateway';

/** v1 leaves from 100 to 200, and meanwhile, at 150, v3 takes over from v2. */
function historyOf(): History {
  const active = ['v1', 'v2', 'v3'];
  const history = new History({ from: 'v2', to: 'v2', weight: 100, active });
  const leaving = history.leave({ version: 'v1', at: 100 });
  history.begin({ stage: { from: 'v2', to: 'v3', weight: 100, active }, at: 150 }).converged(160);
  leaving.converged(200);
  return history;
}

const activeAt = (time: number) =>
  historyOf()
    .during(time, time)
    .map(({ active }) => active.join(' '));

function judged(pin: string, at: number, outcome: Outcome) {
  const exchanges = [
    { asked: { entrance: ENTRANCE, face: 'http1' as const, pin }, startedAt: at, endedAt: at, outcome },
  ];
  const { failed, misrouted, refusedExpected, refusedSeen } = judge({
    exchanges,
    streams: [],
    histories: new Map([[ENTRANCE, historyOf()]]),
  });
  return { failed, misrouted, refusedExpected, refusedSeen };
}

describe('a version that leaves', () => {
  it('is active until it may be refused, may be either then, and is refused in the end', () => {
    expect(activeAt(99)).toEqual(['v1 v2 v3']);
    expect(activeAt(140)).toEqual(['v1 v2 v3', 'v2 v3']);
    expect(activeAt(200)).toEqual(['v1 v2 v3', 'v2 v3']);
    expect(activeAt(201)).toEqual(['v2 v3']);
  });

  it('leaves through the stages that change meanwhile', () => {
    expect(
      historyOf()
        .during(155, 155)
        .map(({ to, active }) => `${to}: ${active.join(' ')}`),
    ).toEqual(['v2: v1 v2 v3', 'v2: v2 v3', 'v3: v1 v2 v3', 'v3: v2 v3']);
  });

  it('makes neither an answer nor a refusal a fault while it leaves, and an answer one afterwards', () => {
    const fine = { failed: 0, misrouted: 0, refusedExpected: 0, refusedSeen: 0 };
    const answered: Outcome = { kind: 'answered', version: 'v1' };
    const refused: Outcome = { kind: 'refused' };
    const due = { ...fine, refusedExpected: 1, refusedSeen: 1 };
    expect(judged('v1', 150, answered)).toEqual(fine);
    expect(judged('v1', 150, refused)).toEqual(due);
    expect(judged('v1', 300, refused)).toEqual(due);
    expect(judged('v1', 300, answered)).toEqual({ ...fine, misrouted: 1, refusedExpected: 1 });
    expect(judged('v2', 300, { kind: 'answered', version: 'v2' })).toEqual(fine);
  });
});
