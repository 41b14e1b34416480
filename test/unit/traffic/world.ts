/**
 * A made-up world for tests of the judge: commands that reach one proxy some time after they were given, and requests
 * that the proxy answers as the stage in force says. All of it is right; tests put faults in by hand.
 */
import fc from 'fast-check';
import { defaultVersions, History, type Stage } from '../../support/traffic/history.ts';
import type { Evidence } from '../../support/traffic/judge.ts';
import type { Exchange, Outcome, StreamRecord } from '../../support/traffic/samples.ts';

export const ENTRANCE = 'gateway';

interface Step {
  readonly move: 'raise' | 'flip' | 'rollback' | 'lower' | 'retire' | 'rest';
  readonly weight: number;
  readonly wait: number;
  readonly reach: number;
  readonly settle: number;
}

interface Sent {
  readonly wait: number;
  readonly length: number;
  /** Where within the request the proxy chooses, 0 to 1. */
  readonly chooses: number;
  readonly ask:
    | { readonly kind: 'tenant'; readonly tenant: number }
    | { readonly kind: 'pin'; readonly pin: string };
}

const step: fc.Arbitrary<Step> = fc.record({
  move: fc.constantFrom('raise', 'flip', 'rollback', 'lower', 'retire', 'rest'),
  weight: fc.integer({ min: 1, max: 99 }),
  wait: fc.integer({ min: 1, max: 400 }),
  reach: fc.integer({ min: 0, max: 60 }),
  settle: fc.integer({ min: 0, max: 60 }),
});

const sent: fc.Arbitrary<Sent> = fc.record({
  wait: fc.integer({ min: 0, max: 20 }),
  length: fc.integer({ min: 1, max: 30 }),
  chooses: fc.double({ min: 0, max: 1, noNaN: true }),
  ask: fc.oneof(
    fc.record({ kind: fc.constant('tenant' as const), tenant: fc.integer({ min: 0, max: 7 }) }),
    fc.record({ kind: fc.constant('pin' as const), pin: fc.constantFrom('v1', 'v2', 'v3', 'v9', 'V1', '') }),
  ),
});

/** A run without a fault. */
export const flawlessRun: fc.Arbitrary<Evidence> = fc
  .record({
    steps: fc.array(step, { maxLength: 12 }),
    requests: fc.array(sent, { minLength: 1, maxLength: 300 }),
  })
  .map(({ steps, requests }) => run(steps, requests));

function run(steps: readonly Step[], requests: readonly Sent[]): Evidence {
  const first: Stage = { from: 'v1', to: 'v1', weight: 100, active: ['v1', 'v2'] };
  const history = new History(first);
  /** When the proxy changed over to which stage, newest last. */
  const inForce = [{ since: -Infinity, stage: history.current }];
  let at = 0;
  for (const { move, weight, wait, reach, settle } of steps) {
    at += wait;
    const stage = nextStage(history.current, move, weight);
    if (stage === undefined) continue;
    const pending = history.begin({ stage, at });
    inForce.push({ since: at + reach, stage: history.current });
    pending.converged(at + reach + settle);
    at += reach + settle;
  }
  const stageAt = (time: number) => inForce.findLast(({ since }) => since <= time)?.stage ?? history.current;

  const exchanges: Exchange[] = [];
  const freeAt = new Map<number, number>();
  let clock = 0;
  for (const { wait, length, chooses, ask } of requests) {
    clock += wait;
    const startedAt = ask.kind === 'tenant' ? Math.max(clock, freeAt.get(ask.tenant) ?? 0) : clock;
    const endedAt = startedAt + length;
    const stage = stageAt(startedAt + length * chooses);
    if (ask.kind === 'tenant') {
      freeAt.set(ask.tenant, endedAt + 0.001);
      const onTo = share(ask.tenant, stage.leg) < stage.weight;
      const tenant = `tenant-${ask.tenant}`;
      const outcome = answeredBy(onTo ? stage.to : stage.from);
      exchanges.push({ asked: { entrance: ENTRANCE, face: 'http1', tenant }, startedAt, endedAt, outcome });
    } else {
      const outcome: Outcome = stage.active.includes(ask.pin) ? answeredBy(ask.pin) : { kind: 'refused' };
      exchanges.push({
        asked: { entrance: ENTRANCE, face: 'http2', pin: ask.pin },
        startedAt,
        endedAt,
        outcome,
      });
    }
  }
  const streams: StreamRecord[] = [
    {
      asked: { entrance: ENTRANCE, face: 'websocket' },
      openedAt: 0,
      endedAt: clock,
      version: 'v1',
      strangers: [],
      end: { kind: 'byClient' },
    },
  ];
  return { exchanges, streams, histories: new Map([[ENTRANCE, history]]) };
}

function nextStage(now: Stage, move: Step['move'], weight: number): Stage | undefined {
  const { active } = now;
  const steady = defaultVersions(now).length === 1;
  const primary = steady ? (defaultVersions(now)[0] as string) : now.from;
  const candidate = steady ? active.find((version) => version !== primary) : now.to;
  switch (move) {
    case 'raise':
      if (candidate === undefined || (!steady && weight < now.weight)) return undefined;
      return { from: primary, to: candidate, weight, active };
    case 'lower':
      return steady || weight > now.weight ? undefined : { ...now, weight };
    case 'flip':
      return candidate === undefined ? undefined : { from: primary, to: candidate, weight: 100, active };
    case 'rollback':
      return steady ? undefined : { from: now.to, to: now.from, weight: 100, active };
    case 'retire':
      return steady ? { ...now, active: [primary] } : undefined;
    case 'rest':
      return undefined;
  }
}

/** Where a tenant stands in a leg, 0 to 99: other legs, other salts. */
function share(tenant: number, leg: number): number {
  return (tenant * 37 + leg * 59 + 11) % 100;
}

export function answeredBy(version: string): Outcome {
  return { kind: 'answered', version, routedVersion: version };
}
