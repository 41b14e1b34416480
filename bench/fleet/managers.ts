/** The two managers of a run, which share a store, each at a port that stays its own. */
import type { Child } from '../../test/support/system/child.ts';
import { sample, type World } from './world.ts';

const HOW_MANY = 2;

export class Managers {
  readonly #world: World;
  readonly #ports: readonly number[];
  readonly #children: (Child | undefined)[];

  private constructor(world: World, ports: readonly number[]) {
    this.#world = world;
    this.#ports = ports;
    this.#children = ports.map(() => undefined);
  }

  static async start(world: World): Promise<Managers> {
    const ports = world.otherPorts.slice(0, HOW_MANY);
    const managers = new Managers(world, ports);
    for (const index of ports.keys()) await managers.startOne(index);
    return managers;
  }

  /** By their numbers. */
  get addresses(): readonly string[] {
    return this.#ports.map((port) => `127.0.0.1:${port}`);
  }

  /** Of those that run. */
  get pids(): readonly number[] {
    return this.#children.flatMap((child) => (child?.running === true ? [child.pid] : []));
  }

  async startOne(index: number): Promise<void> {
    this.#children[index] = await this.#world.manager(`m${index}`, this.#ports[index] ?? 0);
  }

  /** kill -9; resolves when it is gone. */
  async killOne(index: number): Promise<void> {
    const child = this.#children[index];
    child?.signal('SIGKILL');
    await child?.ended;
  }

  /** Delegates that have a stream to it. */
  delegatesOf(index: number): Promise<number> {
    return sample(this.addresses[index] ?? '', 'manager_delegates');
  }

  async stop(): Promise<void> {
    // They would wait for their delegates to leave.
    for (const index of this.#children.keys()) await this.killOne(index);
  }
}
