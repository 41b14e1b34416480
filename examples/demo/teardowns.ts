/**
 * Looks on while versions are taken away, beside whatever else happens: fenced, drained to the end of their executions,
 * refused, gone. Notes for the judge of traffic from when on pins to them may be refused, and must be.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { RETIREMENT_STEP, VERSION_STATE } from '../../src/admin/enums.ts';
import type { RetirementStep, Service, Version } from '../../src/gen/switchyard/admin/v1/resources_pb.js';
import { eventually } from '../../test/support/eventually.ts';
import type { History, Pending } from '../../test/support/traffic/history.ts';
import type { Probe } from '../../test/support/traffic/probe.ts';
import type { TakenAway } from './executions.ts';
import type { Screen } from './screen.ts';
import { SERVICE } from './spec.ts';
import type { World } from './world.ts';

const LOOK_EVERY_MS = 250;
const GONE_WITHIN_MS = 120_000;

/** A version that was taken away, as the report tells it. */
export interface Retired {
  readonly version: string;
  /** What was open on it when it was fenced. */
  readonly openWhenFenced: number;
  /** Seconds from the fence to the count of zero. */
  readonly drainSeconds: number;
  /** What that zero rests on: `atomic` is one transaction with the fence. */
  readonly certificate: string;
}

/** What is asked, shown to and noted in. */
export interface TeardownsParts {
  readonly world: Pick<World, 'call'>;
  readonly screen: Pick<Screen, 'say'>;
  readonly history: History;
  readonly probe: Pick<Probe, 'afterOneAnswer'>;
}

interface Course {
  readonly fencedAt: number;
  readonly open: number;
  shown: number;
  leaving?: { readonly pending: Pending; readonly takenAway: TakenAway };
  isGone: boolean;
}

export class Teardowns {
  readonly #parts: TeardownsParts;
  readonly #courses = new Map<string, Course>();
  readonly #over = new AbortController();
  readonly #looking: Promise<void>;
  #lookedAt = { monotonic: performance.now(), wall: Date.now() };

  constructor(parts: TeardownsParts) {
    this.#parts = parts;
    this.#looking = this.#look();
    this.#looking.catch(() => {});
  }

  /** When each version began to go. */
  get takenAway(): readonly TakenAway[] {
    return [...this.#courses.values()].flatMap(({ leaving }) => leaving?.takenAway ?? []);
  }

  /** Resolves when a version is gone, with how that went. */
  async gone(version: string): Promise<Retired> {
    const hasGone = () => this.#courses.get(version)?.isGone === true;
    await Promise.race([
      eventually(hasGone, { what: `the end of ${version}`, within: GONE_WITHIN_MS }),
      this.#looking.then(() => Promise.reject(new Error('nobody looks at the versions any more'))),
    ]);
    const { events } = await this.#parts.world.call('listEvents', { service: SERVICE, limit: 1000 });
    const begun = events.findLast(
      ({ action, reason }) => action === 'BeginRetirement' && reason.startsWith(`${version} `),
    );
    const course = this.#courses.get(version);
    const certificate = /certificate: (\w+)/.exec(begun?.reason ?? '')?.[1] ?? 'none';
    const fencedAt = course?.fencedAt ?? Number.NaN;
    const drainedAt = begun?.at === undefined ? Number.NaN : timestampMs(begun.at);
    return {
      version,
      openWhenFenced: course?.open ?? 0,
      drainSeconds: Math.max(0, Math.round((drainedAt - fencedAt) / 100) / 10),
      certificate,
    };
  }

  close(): void {
    this.#over.abort();
  }

  async #look(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      const at = { monotonic: performance.now(), wall: Date.now() };
      // There may be no controller just now.
      const service = await this.#service();
      if (service !== undefined) {
        await this.#seen(service);
        this.#lookedAt = at;
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #seen({ versions }: Service): Promise<void> {
    for (const version of versions) {
      if (version.fenced && version.state !== VERSION_STATE.Retired) await this.#fenced(version);
    }
    for (const [name, course] of this.#courses) {
      const version = versions.findLast((each) => each.name === name);
      if (isLeaving(version)) course.leaving ??= this.#leaves(name);
      if (course.leaving !== undefined && !course.isGone && isGone(version)) {
        course.isGone = true;
        course.leaving.pending.converged(await this.#parts.probe.afterOneAnswer());
        this.#parts.screen.say(`${name} is gone: routes first, then its cluster, then its instances`);
      }
    }
  }

  /** Counts what is open on it, and shows where that has changed. */
  async #fenced({ name, state }: Version): Promise<void> {
    const { screen } = this.#parts;
    const known = this.#courses.get(name);
    if (known?.shown === 0) return;
    // One that is drained has no open work, and may be gone before anybody could count it.
    const open = state === VERSION_STATE.Draining ? await this.#openOn(name) : 0;
    if (open === undefined) return;
    if (known === undefined) {
      this.#courses.set(name, { fencedAt: Date.now(), open, shown: open, isGone: false });
      screen.say(`${name} is fenced: no new work; ${executions(open)} open on it`);
    } else if (known.shown !== open) {
      known.shown = open;
      screen.say(
        open === 0
          ? `${name} is drained: its last execution has ended on it`
          : `${name} drains: ${executions(open)} open`,
      );
    }
  }

  /** Executions; undefined: nobody knows just now. */
  async #openOn(version: string): Promise<number | undefined> {
    const request = { service: SERVICE, version };
    const answer = await this.#parts.world.call('getOpenWork', request).catch(() => undefined);
    if (answer?.work?.kind.case !== 'counted') return undefined;
    const { split, total } = answer.work.kind.value;
    return Number(split?.executions ?? total);
  }

  #leaves(version: string): NonNullable<Course['leaving']> {
    const { history, screen } = this.#parts;
    screen.say(`pins to ${version} are refused from here on`);
    return {
      pending: history.leave({ version, at: this.#lookedAt.monotonic }),
      takenAway: { version, at: this.#lookedAt.wall },
    };
  }

  async #service(): Promise<Service | undefined> {
    return this.#parts.world.call('getService', { name: SERVICE }).then(
      ({ service }) => service,
      () => undefined,
    );
  }
}

/** The steps of a retirement in which pins are, or are about to be, refused. */
const REFUSED: ReadonlySet<RetirementStep> = new Set([
  RETIREMENT_STEP.Refusing,
  RETIREMENT_STEP.RemovingCluster,
  RETIREMENT_STEP.StoppingInstances,
]);

/** Whether pins to it may be refused. */
function isLeaving(version: Version | undefined): boolean {
  return version === undefined || isGone(version) || REFUSED.has(version.retirement);
}

function isGone(version: Version | undefined): boolean {
  return version === undefined || version.state === VERSION_STATE.Retired;
}

function executions(count: number): string {
  return count === 1 ? '1 execution is' : `${count} executions are`;
}
