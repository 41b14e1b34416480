/**
 * The customers' side of the demo: boxes of two tenants, each with a real watcher, which fetches the delegates' releases,
 * checks their signatures and keeps the delegates up.
 */
import type { Box } from '../../test/support/executions/box.ts';
import { prepareBoxes } from '../../test/support/executions/boxes.ts';
import { aliveIn, killNow, membersOf } from '../../test/support/executions/machine.ts';
import { SERVICE } from './spec.ts';

/** Where the boxes are, and what they reach. */
export interface BoxesOptions {
  /** The folder of the demo. */
  readonly folder: string;
  readonly gatewayPort: number;
  /** Where the controller serves watchers. */
  readonly watcherPort: number;
  /** Of whoever releases delegates. */
  readonly publicKeyFile: string;
}

export class Boxes {
  readonly all: readonly Box[];
  readonly #folder: string;

  private constructor(folder: string, all: readonly Box[]) {
    this.#folder = folder;
    this.all = all;
  }

  /** Writes the watchers' files; nothing runs yet. */
  static async prepare({ folder, ...reach }: BoxesOptions): Promise<Boxes> {
    return new Boxes(folder, await prepareBoxes({ ...reach, service: SERVICE, world: folder }));
  }

  async start(): Promise<void> {
    await Promise.all(this.all.map((box) => box.start()));
  }

  /** Stops the watchers, and the delegates, which a watcher leaves running. */
  async stop(): Promise<void> {
    await Promise.all(this.all.map((box) => box.stop()));
    for (const { pid } of membersOf(this.#folder).delegates) killNow(pid);
  }
}

/** Ends what is still alive of the demo in this folder, such as a task whose delegate was killed. */
export function sweep(folder: string): void {
  for (const { pid } of aliveIn(folder)) killNow(pid);
}
