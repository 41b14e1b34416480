/**
 * The file of one service, followed: its path enters; the last good listing and what is wrong with the file now
 * leave. A file that is broken, missing or unreadable never takes addresses away: only a good file does.
 */
import type { Milliseconds } from '../../model/instant.ts';
import type { ServiceName } from '../../model/names.ts';
import type { EndpointsVersion } from '../../model/spec.ts';
import type { Clock } from '../../ports/clock.ts';
import type { GoodText, LastGood } from './last-good.ts';
import type { FileListing } from './listing.ts';
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
  readonly onChange: () => void;
}

export class FollowedFile {
  /** Resolves when the file has been looked at once. */
  readonly settled: Promise<void>;
  readonly #options: FollowedFileOptions;
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>;
  #listing: FileListing | undefined;
  #isGood = false;
  #problems: readonly string[] = [];

  constructor(options: FollowedFileOptions) {
    this.#options = options;
    this.#listing = options.before;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.settled = promise;
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

  async #watch(settle: () => void): Promise<void> {
    const { file, clock, interval } = this.#options;
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
    this.#isGood = true;
    this.#set({ file, versions }, messages);
    await this.#keepCopy({ file, text });
  }

  async #keepCopy(good: GoodText): Promise<void> {
    const { service, lastGood } = this.#options;
    try {
      await lastGood.write(service, good);
    } catch (error) {
      const failure = `${good.file}: no copy could be kept, so that a restart while it is broken would lose its addresses: ${(error as Error).message}`;
      this.#set(this.#listing, [...this.#problems, failure]);
    }
  }

  async #keepLastGood(problems: readonly string[]): Promise<void> {
    this.#isGood = false;
    try {
      this.#listing ??= await this.#kept();
      const stays =
        this.#listing === undefined ? 'no addresses are known' : 'the addresses last read stay in use';
      this.#set(
        this.#listing,
        problems.map((problem) => `${problem} (${stays})`),
      );
    } catch (error) {
      this.#set(undefined, [
        ...problems,
        `${this.#options.file}: its kept copy cannot be read: ${(error as Error).message}`,
      ]);
    }
  }

  /** What the copy lists, where there is one that is still understood. */
  async #kept(): Promise<FileListing | undefined> {
    const { parse, service, lastGood } = this.#options;
    const good = await lastGood.read(service);
    if (good === undefined) return undefined;
    const { versions, problems } = parse(good);
    const fault = problems.find(({ severity }) => severity === 'error');
    if (fault !== undefined) throw new Error(describe(fault));
    return { file: good.file, versions };
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
