/**
 * The releases of the watcher on its box: two slots, `current` (a link that is swapped in one step) which has proved
 * itself, and a trial that has not yet. Without `current` the installed release is meant.
 */
import { lstat, readFile, readlink, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { prepareFolder, removeDurably, writeDurably } from '../../adapters/durable-file.ts';
import type { Artifact } from '../../model/goal-state.ts';
import type { Instant } from '../../model/instant.ts';

export type SlotName = 'a' | 'b';

/** A release that is here. */
export interface Slot {
  readonly name: SlotName;
  readonly artifact: Artifact;
  /** What stands for `switchyard`: program and first arguments. */
  readonly command: readonly string[];
}

export interface Trial {
  readonly slot: Slot;
  /** The release before reached the controller when this one was proposed: so must this one, to prove itself. */
  readonly mustReachController: boolean;
  /** How often it was begun. */
  readonly attempts: number;
}

export interface BadRelease {
  readonly version: string;
  readonly sha256: string;
  readonly reason: string;
  readonly at: Instant;
}

/** A trial that is begun so often has not proved itself, whatever ended it. */
const MOST_ATTEMPTS = 3;
const MOST_BAD = 50;

export class Slots {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(dataFolder: string): Promise<Slots> {
    const folder = join(dataFolder, 'releases');
    await prepareFolder(folder);
    return new Slots(folder);
  }

  /** Undefined: the installed release. */
  async current(): Promise<Slot | undefined> {
    const target = await readlink(this.#path('current')).catch(() => undefined);
    return target === undefined ? undefined : this.#read<Slot>(target);
  }

  async trial(): Promise<Trial | undefined> {
    return this.#read<Trial>('trial.json');
  }

  async bad(): Promise<readonly BadRelease[]> {
    return (await this.#read<readonly BadRelease[]>('bad.json')) ?? [];
  }

  /** Whether a trial has been begun too often. */
  isWornOut({ attempts }: Trial): boolean {
    return attempts >= MOST_ATTEMPTS;
  }

  /** Puts a release beside the current one, to be tried. */
  async propose({
    mustReachController,
    ...release
  }: Omit<Slot, 'name'> & Pick<Trial, 'mustReachController'>): Promise<void> {
    const current = await this.current();
    const name: SlotName = current?.name === 'a' ? 'b' : 'a';
    const slot: Slot = { name, ...release };
    await this.#write(`${name}.json`, slot);
    await this.#write('trial.json', { slot, mustReachController, attempts: 0 } satisfies Trial);
  }

  async noteAttempt(trial: Trial): Promise<void> {
    await this.#write('trial.json', { ...trial, attempts: trial.attempts + 1 });
  }

  /** It has proved itself: the swap. */
  async promote({ slot }: Trial): Promise<void> {
    const next = this.#path('next');
    await rm(next, { force: true });
    await symlink(`${slot.name}.json`, next);
    await rename(next, this.#path('current'));
    await removeDurably(this.#path('trial.json'));
  }

  /** What is remembered of a release is forgotten: it may be tried again. */
  async forgive(sha256: string): Promise<void> {
    await this.#write(
      'bad.json',
      (await this.bad()).filter((one) => one.sha256 !== sha256),
    );
  }

  /** It has not, and is not tried again unless that is forgiven. */
  async reject({ slot }: Trial, because: { readonly reason: string; readonly at: Instant }): Promise<void> {
    const { version, sha256 } = slot.artifact;
    const others = (await this.bad()).filter((one) => one.sha256 !== sha256);
    await this.#write('bad.json', [...others, { version, sha256, ...because }].slice(-MOST_BAD));
    await removeDurably(this.#path('trial.json'));
  }

  /** sha256 of the releases that a slot holds. */
  async held(): Promise<readonly string[]> {
    const slots = await Promise.all(['a.json', 'b.json'].map((name) => this.#read<Slot>(name)));
    return slots.flatMap((slot) => (slot === undefined ? [] : [slot.artifact.sha256]));
  }

  async #read<Content>(name: string): Promise<Content | undefined> {
    const path = this.#path(name);
    if ((await lstat(path).catch(() => undefined)) === undefined) return undefined;
    try {
      return JSON.parse(await readFile(path, 'utf8')) as Content;
    } catch (error) {
      throw new Error(`${path} cannot be read: ${(error as Error).message}; remove it to go on without it`, {
        cause: error,
      });
    }
  }

  async #write(name: string, content: unknown): Promise<void> {
    await writeDurably(this.#path(name), `${JSON.stringify(content, undefined, 2)}\n`);
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}
