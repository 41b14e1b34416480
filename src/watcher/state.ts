/**
 * What a watcher remembers over its own death, in one file: the goal state that it follows, what each version was started
 * from, what was healthy, and what was given up. Which processes run is not in it: the processes' own journal says so.
 */
import { readFile } from 'node:fs/promises';
import { writeDurably } from '../adapters/durable-file.ts';
import type { Artifact, GoalState } from '../model/goal-state.ts';
import type { ServiceName, VersionName } from '../model/names.ts';
import type { ArtifactKey, Setback } from './box.ts';

export interface WatcherState {
  /** Of the delegates; a folder belongs to one service. */
  readonly service: ServiceName;
  /** The newest generation that it was told. */
  readonly seen: number;
  /** The one that it follows. */
  readonly goal?: GoalState;
  /** What each version was started from last. */
  readonly started: readonly { readonly version: VersionName; readonly artifact: Artifact }[];
  /** What was healthy at some time. */
  readonly healthy: readonly ArtifactKey[];
  readonly setbacks: readonly Setback[];
  /** The version that was last seen healthy. */
  readonly lastGood?: Artifact;
}

/** The file is of another release or another service, or is damaged. */
export class WatcherStateError extends Error {
  override readonly name = 'WatcherStateError';
}

const FORMAT = 1;
/** What was healthy long ago is forgotten. */
const MOST_HEALTHY = 100;

export class StateFile {
  readonly #path: string;
  #current: WatcherState;
  #last: Promise<void> = Promise.resolve();

  private constructor(path: string, state: WatcherState) {
    this.#path = path;
    this.#current = state;
  }

  /** Throws WatcherStateError. */
  static async open(path: string, service: ServiceName): Promise<StateFile> {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text === undefined) {
      return new StateFile(path, { service, seen: 0, started: [], healthy: [], setbacks: [] });
    }
    return new StateFile(path, parse({ text, path, service }));
  }

  get current(): WatcherState {
    return this.#current;
  }

  /**
   * Resolves when it cannot be lost any more. Where it cannot be written nothing changes, and the error is thrown.
   * Changes follow each other: each is made of what the one before left.
   */
  change(change: (current: WatcherState) => Partial<WatcherState>): Promise<void> {
    const turn = this.#last.then(() => this.#write(change(this.#current)));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #write(change: Partial<WatcherState>): Promise<void> {
    const next = { ...this.#current, ...change };
    const bounded = { ...next, healthy: next.healthy.slice(-MOST_HEALTHY) };
    await writeDurably(this.#path, `${JSON.stringify({ format: FORMAT, ...bounded }, undefined, 2)}\n`);
    this.#current = bounded;
  }
}

function parse(read: { text: string; path: string; service: ServiceName }): WatcherState {
  const { text, path, service } = read;
  const fail = (why: string): never => {
    throw new WatcherStateError(
      `${path} ${why}. Its delegates go on running; put the file right, or move it away to begin without what it knew`,
    );
  };
  let parsed: Partial<WatcherState> & { format?: unknown };
  try {
    parsed = JSON.parse(text) as typeof parsed;
  } catch (error) {
    return fail(`cannot be read: ${(error as Error).message}`);
  }
  const { format, ...state } = parsed;
  if (format !== FORMAT)
    return fail(`has format ${JSON.stringify(format)}, and this release reads ${FORMAT}`);
  if (state.service !== service)
    return fail(`is of the service ${state.service}, and this watcher is of ${service}`);
  const { started, healthy, setbacks, seen } = state;
  if (![started, healthy, setbacks].every(Array.isArray) || !Number.isSafeInteger(seen)) {
    return fail('lacks started, healthy, setbacks or seen');
  }
  return state as WatcherState;
}
