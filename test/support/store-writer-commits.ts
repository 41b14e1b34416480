/** What the writer process writes, round by round, and what a store holds after it. */
import { instant } from '../../src/model/instant.ts';
import type { Measurement } from '../../src/model/measurement.ts';
import { TRAFFIC_SPAN, type TrafficCount } from '../../src/model/traffic.ts';
import type { Commit } from '../../src/ports/store.ts';
import type { Holding } from './store-folder.ts';
import { measurement, rolloutRecord, trafficCount } from './stored-history.ts';
import { newEvent, serviceRecord } from './stored-records.ts';

/** The rollout that goes on all the time; each commit changes it. */
const rollout = rolloutRecord({});

/** Commit `number`, from 1: one service, one generation further, with its rollout and two events. */
export function commitNumber(number: number, size: number): Commit {
  const document = `${number}`.padEnd(size, 'x');
  return {
    services: [
      {
        ...serviceRecord({ name: 'manager', generation: number, document }),
        rollout: { ...rollout, because: `commit ${number}` },
      },
    ],
    nextPublication: number + 1,
    events: [
      newEvent({ action: 'Flip', service: 'manager', at: number, before: `${number - 1}` }),
      newEvent({ action: 'Published', at: number }),
    ],
  };
}

/** The measurement that follows commit `number`. */
export function measurementNumber(number: number): Measurement {
  return measurement(rollout.id, number);
}

/** The count of requests that follows it; twelve of them share a row. */
export function countNumber(number: number): TrafficCount {
  return trafficCount({ from: instant(number * TRAFFIC_SPAN), requests: number });
}

/** What a store holds after commits 1 to `last`, without what follows them. */
export function holdingAfter(last: number, size: number): Holding {
  const commits = Array.from({ length: last }, (_, index) => commitNumber(index + 1, size));
  const services = commits.at(-1)?.services ?? [];
  return {
    state: { services, nextPublication: last + 1, proxies: [], everWritten: last > 0 },
    events: commits
      .flatMap(({ events = [] }) => events)
      .map((event, index) => ({ ...event, sequence: index + 1 })),
    rollouts: services.flatMap((record) =>
      record.rollout === undefined ? [] : [{ rollout: record.rollout, measurements: [] }],
    ),
    traffic: [],
    coverage: [],
  };
}

/** The numbers whose measurements and counts a store holds, and the rest, to be compared with `holdingAfter`. */
export function withoutFollowers(holding: Holding): {
  readonly measured: readonly number[];
  readonly counted: readonly number[];
  readonly rest: Holding;
} {
  const measurements = holding.rollouts.flatMap((past) => past.measurements);
  return {
    measured: measurements.map(({ at }) => (at - rollout.since) / TRAFFIC_SPAN),
    counted: holding.traffic.map(({ from }) => from / TRAFFIC_SPAN),
    rest: {
      ...holding,
      rollouts: holding.rollouts.map((past) => ({ ...past, measurements: [] })),
      traffic: [],
    },
  };
}
