/** What is measured of an engine. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine, OpenEngine } from './engine.ts';

/** Names as in the report. Rates are jobs a second, times milliseconds. */
export type Figures = Readonly<Record<string, number>>;

export interface ScenarioOptions {
  readonly connectionString: string;
  readonly jobs: number;
  /** Jobs of another version that wait in the same tables, and must be left alone. */
  readonly other: number;
}

const ADDED_AT_A_TIME = 50;

/** Jobs are added one by one, by many at a time, while the workers work: added and finished in a second. */
export async function flow(
  open: OpenEngine,
  { connectionString, jobs, other }: ScenarioOptions,
): Promise<Figures> {
  const engine = await open(connectionString);
  try {
    await engine.fill(other, 'other');
    const counter = counting(jobs);
    const stop = await engine.work({ begun: () => undefined, finished: counter.count });
    const begin = performance.now();
    let left = jobs;
    const adding = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await engine.add({ at: performance.now() });
      }
    };
    await Promise.all(Array.from({ length: ADDED_AT_A_TIME }, adding));
    await counter.reached;
    const seconds = (performance.now() - begin) / 1_000;
    await stop();
    await expectUntouched(engine, other);
    return { 'added and finished, jobs/s': jobs / seconds };
  } finally {
    await engine.close();
  }
}

/** So many jobs wait; the workers come, and the first of them are finished. */
export async function backlog(
  open: OpenEngine,
  { connectionString, jobs, other, waiting }: ScenarioOptions & { readonly waiting: number },
): Promise<Figures> {
  const engine = await open(connectionString);
  try {
    await engine.fill(other, 'other');
    await engine.fill(waiting, 'own');
    const counter = counting(jobs);
    const begin = performance.now();
    const stop = await engine.work({ begun: () => undefined, finished: counter.count });
    await counter.reached;
    const seconds = (performance.now() - begin) / 1_000;
    await stop();
    await expectUntouched(engine, other);
    return { 'finished from the backlog, jobs/s': jobs / seconds };
  } finally {
    await engine.close();
  }
}

/**
 * One job at a time into an empty queue: from the call that adds it until a worker has it, which is another client: what one
 * hears of its own doings does not count.
 */
export async function latency(
  open: OpenEngine,
  { connectionString, jobs, other }: ScenarioOptions,
): Promise<Figures> {
  const [engine, adder] = [await open(connectionString), await open(connectionString)];
  try {
    await engine.fill(other, 'other');
    const times: number[] = [];
    let arrived = (): void => undefined;
    const stop = await engine.work({
      begun: ({ at }) => {
        times.push(performance.now() - at);
        arrived();
      },
      finished: () => undefined,
    });
    // Its workers are up when the first jobs come back; these do not count.
    const warm = 20;
    for (let index = 0; index < warm + jobs; index += 1) {
      const arrival = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      await adder.add({ at: performance.now() });
      await arrival;
      await sleep(5);
    }
    await stop();
    const sorted = times.slice(warm).toSorted((left, right) => left - right);
    const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
    return { 'until a worker has it, median, ms': at(0.5), 'until a worker has it, 99%, ms': at(0.99) };
  } finally {
    await adder.close();
    await engine.close();
  }
}

function counting(jobs: number): { readonly count: () => void; readonly reached: Promise<void> } {
  let finished = 0;
  let done = (): void => undefined;
  const reached = new Promise<void>((resolve) => {
    done = resolve;
  });
  return {
    count: () => {
      finished += 1;
      if (finished === jobs) done();
    },
    reached,
  };
}

async function expectUntouched(engine: Engine, other: number): Promise<void> {
  const waiting = await engine.waiting('other');
  if (waiting !== other)
    throw new Error(
      `${other} jobs of another version waited, and ${waiting} are left: the filter does not hold`,
    );
}
