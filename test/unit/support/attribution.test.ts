/** Which failed requests the loss of a Pod explains, and which it does not. */
import { describe, expect, it } from 'vitest';
import { attribute, type Loss, reportLine } from '../../support/kubernetes/system/attribution.ts';
import type { Exchange } from '../../support/traffic/samples.ts';

/** Killed at 1000 to 1002; the first gateway had its endpoint until 1050, the second until 1080. */
const loss: Loss = {
  pod: 'manager-v1-a',
  version: 'v1',
  from: 1_000,
  until: 1_002,
  withdrawnAt: new Map([
    ['gateway-1', 1_050],
    ['gateway-2', 1_080],
  ]),
};

interface Failure {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly pin?: string;
  readonly entrance?: string;
  /** Pods that it came to. */
  readonly at?: readonly string[];
}

/** The Pod and the manner that are found for one failure; undefined: nothing explains it. */
function found({ startedAt, endedAt, pin, entrance = 'gateway-1', at = [] }: Failure): string | undefined {
  const exchange: Exchange = {
    asked: { entrance, face: 'http1', id: 'one', ...(pin === undefined ? {} : { pin }) },
    startedAt,
    endedAt,
    outcome: { kind: 'failed', reason: 'reset' },
  };
  const { attributed, unexplained } = attribute({
    failed: [exchange],
    losses: [loss],
    arrivals: new Map(at.length === 0 ? [] : [['one', at]]),
    versionsOf: ({ asked }) => [asked.pin ?? 'v1'],
  });
  expect(attributed.length + unexplained.length).toBe(1);
  const [one] = attributed;
  return one && `${one.how} ${one.loss.pod}`;
}

describe('a failed request that came to a Pod', () => {
  it('is explained where it was in flight there when the Pod was lost', () => {
    expect(found({ startedAt: 990, endedAt: 1_003, at: ['manager-v1-a'] })).toBe('InFlight manager-v1-a');
    expect(found({ startedAt: 700, endedAt: 1_500, at: ['manager-v1-b', 'manager-v1-a'] })).toBe(
      'InFlight manager-v1-a',
    );
  });

  it('is not explained where it had failed before, or came later, or to another Pod', () => {
    expect(found({ startedAt: 900, endedAt: 999, at: ['manager-v1-a'] })).toBeUndefined();
    expect(found({ startedAt: 1_003, endedAt: 1_040, at: ['manager-v1-a'] })).toBeUndefined();
    expect(found({ startedAt: 990, endedAt: 1_003, at: ['manager-v1-b'] })).toBeUndefined();
  });
});

describe('a failed request that came to no Pod', () => {
  it('is explained where it was sent before its entrance had the endpoint no more', () => {
    expect(found({ startedAt: 1_010, endedAt: 1_060 })).toBe('SentBeforeWithdrawn manager-v1-a');
    expect(found({ startedAt: 1_070, endedAt: 1_071, entrance: 'gateway-2' })).toBe(
      'SentBeforeWithdrawn manager-v1-a',
    );
  });

  it('is not explained where it was sent after that, had failed before the loss, or is another version’s', () => {
    expect(found({ startedAt: 1_050, endedAt: 1_060 })).toBeUndefined();
    expect(found({ startedAt: 1_070, endedAt: 1_071 })).toBeUndefined();
    expect(found({ startedAt: 980, endedAt: 999 })).toBeUndefined();
    expect(found({ startedAt: 1_010, endedAt: 1_060, pin: 'v2' })).toBeUndefined();
  });
});

it('the report names the request, the Pod, and all times', () => {
  const exchange: Exchange = {
    asked: { entrance: 'gateway-2', face: 'http2', id: 'gateway-2-17', pin: 'v1' },
    startedAt: 1_010,
    endedAt: 1_060,
    outcome: { kind: 'failed', reason: 'status 503' },
  };
  expect(reportLine({ exchange, loss, how: 'SentBeforeWithdrawn' })).toBe(
    'gateway-2-17 was sent before the withdrawal of manager-v1-a, which was lost at 1.000 s (its endpoint: withdrawn at ' +
      '1.080 s): failed at 1.010 s to 1.060 s: http2 through gateway-2, pinned to "v1": status 503',
  );
});
