/**
 * Deaths and broken networks at random, from a seed: every second or so a manager, a delegate, a watcher or the controller
 * is killed with -9, or a box is cut off for a while. Whatever looks after the victim brings it back: the controller its
 * managers, a watcher its delegates, the world watchers and the controller.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Chance } from '../rollout-simulation/chance.ts';
import type { Box } from './box.ts';
import { killNow, membersOf } from './machine.ts';

export type Blow = 'Manager' | 'Delegate' | 'Watcher' | 'Controller' | 'Cut' | 'Silence';

/** What it strikes at. */
export interface Targets {
  /** The folder of the world. */
  readonly folder: string;
  readonly boxes: readonly Box[];
  killController(): Promise<void>;
  startController(): Promise<void>;
}

/**
 * How often each is chosen, of their sum; and how long it rests afterwards on a machine with nothing else to do, so that
 * what fell can stand up again.
 */
const BLOWS: Readonly<Record<Blow, { readonly weight: number; readonly rest: number }>> = {
  Manager: { weight: 4, rest: 3_000 },
  Delegate: { weight: 5, rest: 2_000 },
  Watcher: { weight: 2, rest: 5_000 },
  Controller: { weight: 2, rest: 10_000 },
  Cut: { weight: 3, rest: 3_000 },
  Silence: { weight: 1, rest: 10_000 },
};
/** How long the controller takes to start on such a machine: where it takes longer, all rest longer, up to so many times. */
const QUICK_START_MS = 1_500;
const LONGEST_REST = 3;
/**
 * A watcher gives up a version whose delegate ends three times within ten minutes, as it should: then an operator must
 * say so. Chaos alone shall not use that up.
 */
const DEATHS_OF_A_DELEGATE = 2;

export class Chaos {
  readonly blows = new Map<Blow, number>();
  /** What happened, a line each, with the seconds since the beginning. */
  readonly diary: string[] = [];
  /** What could not be brought back. */
  readonly faults: string[] = [];
  readonly #targets: Targets;
  readonly #chance: Chance;
  readonly #restUntil = new Map<Blow, number>();
  readonly #deaths = new Map<string, number>();
  readonly #healing = new Map<Box, Promise<void>>();
  readonly #after = new Set<Promise<void>>();
  readonly #began = performance.now();
  #slowness = 1;
  #isControllerUp = true;

  constructor(targets: Targets, chance: Chance) {
    this.#targets = targets;
    this.#chance = chance;
  }

  /** Strikes until the signal; then resolves when all is healed and runs again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#chance.between(500, 1_500), undefined, { signal }).catch(() => {});
      if (!signal.aborted) this.#strike();
    }
    await Promise.all(this.#after);
  }

  #strike(): void {
    const now = performance.now();
    const ready = (Object.keys(BLOWS) as Blow[])
      .filter((blow) => (this.#restUntil.get(blow) ?? 0) <= now)
      .filter((blow) => blow !== 'Controller' || this.#isControllerUp);
    const blow = this.#chosen(ready);
    if (blow === undefined) return;
    const what = this.#blow(blow);
    if (what === undefined) return;
    this.#rest(blow);
    this.blows.set(blow, (this.blows.get(blow) ?? 0) + 1);
    this.#note(`${blow}: ${what}`);
  }

  #rest(blow: Blow): void {
    this.#restUntil.set(blow, performance.now() + BLOWS[blow].rest * this.#slowness);
  }

  #chosen(blows: readonly Blow[]): Blow | undefined {
    let left = this.#chance.next() * blows.reduce((sum, blow) => sum + BLOWS[blow].weight, 0);
    return blows.find((blow) => (left -= BLOWS[blow].weight) < 0);
  }

  /** Answers what was struck; undefined: nothing is there to be struck now. */
  #blow(blow: Blow): string | undefined {
    switch (blow) {
      case 'Manager':
        return this.#killManager();
      case 'Delegate':
        return this.#killDelegate();
      case 'Watcher':
        return this.#killWatcher();
      case 'Controller':
        this.#later('the controller', () => this.#killController());
        return 'killed';
      case 'Cut':
      case 'Silence':
        return this.#cut(blow);
      default:
        return blow satisfies never;
    }
  }

  #killManager(): string | undefined {
    const { managers } = membersOf(this.#targets.folder);
    if (managers.length === 0) return undefined;
    const { pid, version } = this.#chance.of(managers);
    killNow(pid);
    return `${pid} of ${version} killed`;
  }

  #killDelegate(): string | undefined {
    const delegates = membersOf(this.#targets.folder).delegates.filter(
      ({ box, version }) => (this.#deaths.get(`${box} ${version}`) ?? 0) < DEATHS_OF_A_DELEGATE,
    );
    if (delegates.length === 0) return undefined;
    const { pid, version, box } = this.#chance.of(delegates);
    const name = `${box} ${version}`;
    this.#deaths.set(name, (this.#deaths.get(name) ?? 0) + 1);
    killNow(pid);
    return `${pid} of ${name} killed`;
  }

  #killWatcher(): string | undefined {
    const running = this.#targets.boxes.filter(({ watcherPid }) => watcherPid !== undefined);
    if (running.length === 0) return undefined;
    const box = this.#chance.of(running);
    const down = this.#chance.between(100, 3_000);
    this.#later(`the watcher of ${box.name}`, async () => {
      await box.kill();
      await sleep(down);
      await box.start();
      this.#rest('Watcher');
    });
    return `that of ${box.name} killed for ${down} ms`;
  }

  async #killController(): Promise<void> {
    const down = this.#chance.between(100, 3_000);
    this.#isControllerUp = false;
    await this.#targets.killController();
    await sleep(down);
    const startedAt = performance.now();
    await this.#targets.startController();
    const took = performance.now() - startedAt;
    this.#slowness = Math.min(LONGEST_REST, Math.max(1, took / QUICK_START_MS));
    this.#isControllerUp = true;
    this.#rest('Controller');
    this.#note(`Controller: there again, after ${down} ms without it and a start of ${Math.round(took)} ms`);
  }

  #cut(how: 'Cut' | 'Silence'): string | undefined {
    const whole = this.#targets.boxes.filter((box) => !this.#healing.has(box));
    if (whole.length === 0) return undefined;
    const box = this.#chance.of(whole);
    const length = this.#chance.between(500, 9_000);
    const reach = this.#chance.in(0.3) ? 'all' : 'gateway';
    if (how === 'Cut') box.cut(reach);
    else box.silence();
    const healed = sleep(length).then(() => {
      box.heal();
      this.#healing.delete(box);
    });
    this.#healing.set(box, healed);
    this.#later(`the network of ${box.name}`, () => healed);
    return `${box.name} ${how === 'Cut' ? `from ${reach}` : 'from gateway'} for ${length} ms`;
  }

  #later(what: string, work: () => Promise<void>): void {
    const done = work()
      .catch((error: unknown) => void this.faults.push(`${what} did not come back: ${String(error)}`))
      .finally(() => this.#after.delete(done));
    this.#after.add(done);
  }

  #note(line: string): void {
    this.diary.push(`${((performance.now() - this.#began) / 1000).toFixed(1)} s ${line}`);
  }
}
