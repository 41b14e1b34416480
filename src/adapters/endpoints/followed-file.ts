/**
 * The file of one service, followed: its path enters; the last good listing and what is wrong with the file now
 * leave. A file that is broken, missing or unreadable never takes addresses away: only a good file does, and of a
 * version that is wanted only where it lists it without addresses.
 */
import type { Milliseconds } from '../../model/instant.ts';
import type { ServiceName, VersionName } from '../../model/names.ts';
import type { EndpointsVersion } from '../../model/spec.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LastGood } from './last-good.ts';
import { type FileListing, keepUnlisted } from './listing.ts';
import { type FileContent, watchFile } from './watched-file.ts';

/** Parses the text of a file of addresses; `file` is for messages. */
export type EndpointsFileParser = (source: { readonly file: string; readonly text: string }) => {
  readonly versions: readonly EndpointsVersion[];
  readonly problems: readonly FileProblem[];
};

/** One fault in a file of addresses. */
export interface FileProblem {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** 1-based; 0 where the fault has no place. */
  readonly line: number;
  readonly field: string;
  readonly message: string;
}

export interface FollowedFileOptions {
  readonly service: ServiceName;
  /** Relative to the folder that the controller was started in. */
  readonly file: string;
  readonly parse: EndpointsFileParser;
  readonly lastGood: LastGood;
  readonly clock: Clock;
  readonly interval: Milliseconds;
  /** The listing that counts until this file is good: that of the file before it. */
  readonly before: FileListing | undefined;
  /** The versions whose instances are wanted now. */
  readonly wanted: () => readonly VersionName[];
  readonly onChange: () => void;
}

export class FollowedFile {
  /** Resolves when the file has been looked at once. */
  readonly settled: Promise<void>;
  readonly #options: FollowedFileOptions;
  readonly #stop = new AbortController();
  /** Resolves when what a controller before this one kept has been looked for. */
  readonly #recalled: Promise<void>;
  readonly #watching: Promise<void>;
  #listing: FileListing | undefined;
  #isGood = false;
  #problems: readonly string[] = [];
  /** Why the copy could not be read; empty where it could, or is replaced. */
  #copyFault = '';
  #copying: Promise<void> = Promise.resolve();

  constructor(options: FollowedFileOptions) {
    this.#options = options;
    this.#listing = options.before;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.settled = promise;
    this.#recalled = this.#recall();
    this.#watching = this.#watch(resolve).finally(resolve);
  }

  get file(): string {
    return this.#options.file;
  }

  /** What the file listed when it was last good. */
  get listing(): FileListing | undefined {
    return this.#listing;
  }

  /** Whether the listing is what the file says now. */
  get isGood(): boolean {
    return this.#isGood;
  }

  /** What is wrong with the file now; a good file may have warnings. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** Stops looking; resolves when the last look is over. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
  }

  /**
   * The wish has changed: versions that are no longer wanted are forgotten, and those that the spec no longer lists
   * keep the addresses that it gave them.
   */
  async rewish(unlistedBySpec: readonly EndpointsVersion[]): Promise<void> {
    await this.#recalled;
    const { file, versions, kept } = this.#listing ?? { file: this.file, versions: [], kept: [] };
    const next = keepUnlisted({ file, versions }, [...kept, ...unlistedBySpec], this.#options.wanted());
    if (JSON.stringify(next.kept) === JSON.stringify(kept)) return;
    this.#listing = next;
    await this.#keepCopy();
  }

  async #watch(settle: () => void): Promise<void> {
    const { file, clock, interval } = this.#options;
    await this.#recalled;
    await watchFile({
      path: file,
      clock,
      interval,
      signal: this.#stop.signal,
      onContent: async (content) => {
        await this.#take(content).catch((error: Error) => this.#keepLastGood([`${file}: ${error.message}`]));
        settle();
      },
    });
  }

  async #take(content: FileContent): Promise<void> {
    const { file } = this.#options;
    switch (content.kind) {
      case 'Missing':
        return this.#keepLastGood([`${file}: there is no such file`]);
      case 'Unreadable':
        return this.#keepLastGood([`${file}: cannot be read: ${content.reason}`]);
      case 'Text':
        return this.#takeText(content.text);
    }
  }

  async #takeText(text: string): Promise<void> {
    const { file, parse } = this.#options;
    const { versions, problems } = parse({ file, text });
    const messages = problems.map(describe);
    if (problems.some(({ severity }) => severity === 'error')) return this.#keepLastGood(messages);
    const before = [...(this.#listing?.kept ?? []), ...(this.#listing?.versions ?? [])];
    const listing = keepUnlisted({ file, versions }, before, this.#options.wanted());
    this.#isGood = true;
    this.#set(listing, messages);
    await this.#keepCopy();
  }

  /** One copy at a time, since a new wish and new content may come together; each writes what is known when it begins. */
  async #keepCopy(): Promise<void> {
    const { service, file, lastGood } = this.#options;
    const earlier = this.#copying;
    const copying = (async () => {
      await earlier;
      if (this.#listing === undefined) return;
      try {
        await lastGood.write(service, this.#listing);
        this.#copyFault = '';
      } catch (error) {
        const failure = `${file}: no copy could be kept, so that a restart while it is broken would lose its addresses: ${(error as Error).message}`;
        this.#set(this.#listing, [...this.#problems, failure]);
      }
    })();
    this.#copying = copying;
    await copying;
  }

  #keepLastGood(problems: readonly string[]): void {
    this.#isGood = false;
    const stays =
      this.#listing === undefined ? 'no addresses are known' : 'the addresses last read stay in use';
    this.#set(this.#listing, [
      ...problems.map((problem) => `${problem} (${stays})`),
      ...(this.#copyFault === '' ? [] : [this.#copyFault]),
    ]);
  }

  /** Goes on from the copy, where there is one and nothing better is known. */
  async #recall(): Promise<void> {
    const { service, lastGood, wanted, file } = this.#options;
    if (this.#listing !== undefined) return;
    try {
      const copy = await lastGood.read(service);
      if (copy !== undefined) this.#listing = keepUnlisted(copy, copy.kept, wanted());
    } catch (error) {
      this.#copyFault = `${file}: its kept copy cannot be read: ${(error as Error).message}`;
    }
  }

  #set(listing: FileListing | undefined, problems: readonly string[]): void {
    this.#listing = listing;
    this.#problems = problems;
    this.#options.onChange();
  }
}

function describe({ file, line, field, message }: FileProblem): string {
  return [file, line > 0 ? `line ${line}` : '', field, message].filter((part) => part !== '').join(': ');
}
