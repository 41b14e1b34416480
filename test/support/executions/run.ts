/** One whole run: a world, its load, its story and its chaos, all from one seed, and the judgement. */

import { setTimeout as sleep } from 'node:timers/promises';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { Chance } from '../rollout-simulation/chance.ts';
import { TENANTS } from './boxes.ts';
import { type Blow, Chaos } from './chaos.ts';
import { Customer } from './customer.ts';
import { readDiary } from './diary.ts';
import { type ControllerEvent, type Judgement, judge } from './judgement.ts';
import { Load } from './load.ts';
import { storeReader } from './recorded.ts';
import { type Chapter, type ChapterTold, retired, tell } from './story.ts';
import { SERVICE, World } from './world.ts';

export interface RunOptions {
  readonly seed: number;
  readonly executions: number;
  /** Starts in a second. */
  readonly rate: number;
  readonly first: string;
  readonly chapters: readonly Chapter[];
  /** Versions that are gone in the end. */
  readonly retired: readonly string[];
  /** What managers are told to keep executions in, given the folder of the world. */
  readonly store: (folder: string) => string;
}

export interface RunResult {
  readonly judgement: Judgement;
  readonly chapters: readonly ChapterTold[];
  readonly blows: Readonly<Partial<Record<Blow, number>>>;
  /** Requests of all customers, and those that had to be sent again. */
  readonly requests: { readonly asked: number; readonly askedAgain: number };
  /** What went wrong beside the executions: customers' surprises, what chaos could not bring back, what was left running. */
  readonly faults: readonly string[];
  readonly seconds: number;
}

/** Executions that are still open when no more are started must end within this time. */
const ENDED_WITHIN_MS = 300_000;
const MOST_EVENTS = 1_000;

/** Rejects where the story cannot be told to its end. Nothing is left running, whatever happens. */
export async function run(options: RunOptions): Promise<RunResult> {
  const began = performance.now();
  const world = await World.open({ version: options.first, store: options.store });
  let lived: Omit<RunResult, 'seconds'>;
  let left: readonly string[];
  try {
    lived = await live(world, options);
  } finally {
    left = await world.close();
  }
  const faults = [...lived.faults, ...left.map((command) => `was left running: ${command}`)];
  return { ...lived, faults, seconds: Math.round((performance.now() - began) / 1000) };
}

async function live(world: World, options: RunOptions): Promise<Omit<RunResult, 'seconds'>> {
  const { seed, executions, rate, chapters } = options;
  const stop = new AbortController();
  const calm = new AbortController();
  const customers = TENANTS.map((tenant) => new Customer({ tenant, url: world.url, stop: stop.signal }));
  const load = new Load({
    customers,
    chance: new Chance(seed),
    folder: world.folder,
    diary: world.diary,
    web: world.web,
    rate,
    stop: stop.signal,
  });
  const chaos = new Chaos(
    {
      folder: world.folder,
      boxes: world.boxes,
      killController: () => world.killController(),
      startController: () => world.startController(),
    },
    new Chance(seed + 1),
  );
  const reader = storeReader(world.store);
  const loading = load.run();
  const raging = chaos.run(calm.signal);
  try {
    let pages = 0;
    const storyOptions = {
      world,
      reader,
      signal: stop.signal,
      goOn: async () => {
        pages += 1;
        const wanted = Math.ceil((executions * pages) / (chapters.length + 1));
        while (load.asked < wanted) await sleep(200, undefined, { signal: stop.signal });
      },
    };
    const told = await tell(chapters, storyOptions);
    load.enough();
    await within(loading, ENDED_WITHIN_MS, () => openOnes(load));
    calm.abort();
    await raging;
    await retired(options.retired, storyOptions);
    const { events } = await world.site.call('listEvents', { service: SERVICE, limit: MOST_EVENTS });
    const judgement = judge({
      store: await reader.content(),
      diary: await readDiary(world.diary),
      begun: load.begun,
      told: customers.flatMap(({ told: each }) => each),
      events: events.map(
        ({ at, action, reason }): ControllerEvent => ({
          at: at === undefined ? 0 : timestampMs(at),
          action,
          reason,
        }),
      ),
      chapters: told,
      retired: options.retired,
      tenants: new Map(world.boxes.map(({ name, tenant }) => [name, tenant])),
    });
    return {
      judgement,
      chapters: told,
      blows: Object.fromEntries(chaos.blows),
      requests: {
        asked: customers.reduce((sum, { requests }) => sum + requests.asked, 0),
        askedAgain: customers.reduce((sum, { requests }) => sum + requests.askedAgain, 0),
      },
      faults: [...load.faults, ...customers.flatMap(({ surprises }) => surprises), ...chaos.faults],
    };
  } catch (error) {
    console.error(chaos.diary.join('\n'));
    throw error;
  } finally {
    calm.abort();
    stop.abort(new Error('the run is over'));
    await raging;
    await loading.catch(() => {});
  }
}

async function within(work: Promise<void>, milliseconds: number, why: () => string): Promise<void> {
  const late = new AbortController();
  const timer = sleep(milliseconds, undefined, { signal: late.signal }).then(() => {
    throw new Error(`executions have not ended within ${milliseconds / 1000} s: ${why()}`);
  });
  try {
    await Promise.race([work, timer]);
  } finally {
    late.abort();
    timer.catch(() => {});
  }
}

function openOnes({ begun }: Load): string {
  return begun
    .filter(({ end }) => end === undefined)
    .map(({ id, kind, tenant }) => `${id} (${kind.name} of ${tenant})`)
    .join(', ');
}
