/**
 * The artifacts of a box: fetched, checked, unpacked and kept. An artifact is `Here` only when its signature holds and
 * its content, which the signature names by its hash, was checked; a marker that is written last says so.
 */
import { createHash, type KeyObject } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { prepareFolder, syncAll, writeDurably } from '../../adapters/durable-file.ts';
import { isSigned } from '../../artifact/signing.ts';
import { type Backoff, retryDelay } from '../../model/backoff.ts';
import type { Artifact } from '../../model/goal-state.ts';
import { after } from '../../model/instant.ts';
import type { WatcherPolicy } from '../../model/watcher.ts';
import type { Clock } from '../../ports/clock.ts';
import { isHostAllowed } from '../allowed.ts';
import { type ArtifactKey, type ArtifactStanding, keyOf } from '../box.ts';
import { download, forget } from './download.ts';
import { ArtifactError } from './fault.ts';
import { freeBytes, usedBytes } from './space.ts';
import { isArchive, place, unpack } from './unpack.ts';

export interface ArtifactStoreOptions {
  /** Of the whole box: `artifacts/` is ours, `data/` the delegates'. */
  readonly folder: string;
  readonly publicKeys: readonly KeyObject[];
  readonly policy: WatcherPolicy;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Called when a standing has changed. */
  readonly onChange: () => void;
}

const MARKER = 'verified';
const CONTENT = 'content';
const BACKOFF: Backoff = { initial: 5_000, max: 30 * 60_000 };
/** An archive may be so many times as large when it is unpacked. */
const EXPANSION = 20;
const LEAST_EXPANDED = 64 * 1024 * 1024;

interface Failure {
  readonly count: number;
  readonly standing: ArtifactStanding;
}

export class ArtifactStore {
  readonly #options: ArtifactStoreOptions;
  readonly #folder: string;
  readonly #here = new Set<string>();
  readonly #progress = new Map<ArtifactKey, string>();
  readonly #failures = new Map<ArtifactKey, Failure>();
  readonly #signed = new Map<ArtifactKey, boolean>();
  readonly #work = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();

  private constructor(options: ArtifactStoreOptions) {
    this.#options = options;
    this.#folder = join(options.folder, 'artifacts');
  }

  /** Finds what is here. What was being unpacked when its watcher died is removed. */
  static async open(options: ArtifactStoreOptions): Promise<ArtifactStore> {
    const store = new ArtifactStore(options);
    await prepareFolder(store.#folder);
    for (const name of await readdir(store.#folder)) {
      if (existsSync(join(store.#folder, name, MARKER))) store.#here.add(name);
      else if (!name.includes('.part')) await rm(join(store.#folder, name), { recursive: true, force: true });
    }
    return store;
  }

  /** Undefined: it was never asked for. */
  standing(artifact: Artifact): ArtifactStanding | undefined {
    const key = keyOf(artifact);
    if (!this.#isSigned(artifact)) {
      const reason = `its signature is by none of the ${this.#options.publicKeys.length} public keys of this box, or is not of what it names`;
      return { kind: 'Failed', reason };
    }
    if (this.#here.has(artifact.sha256)) return { kind: 'Here' };
    const progress = this.#progress.get(key);
    return progress === undefined ? this.#failures.get(key)?.standing : { kind: 'Fetching', progress };
  }

  /** Begins to fetch it, where that has not begun. */
  fetch(artifact: Artifact): void {
    const { sha256 } = artifact;
    if (this.#work.has(sha256) || this.#closing.signal.aborted) return;
    const key = keyOf(artifact);
    this.#progress.set(key, `its artifact is fetched from ${artifact.url}`);
    const work = this.#bring(artifact)
      .then(
        () => this.#failures.delete(key),
        (error: Error) => this.#failed(artifact, error),
      )
      .finally(() => {
        this.#work.delete(sha256);
        this.#progress.delete(key);
        this.#options.onChange();
      });
    this.#work.set(
      sha256,
      work.then(() => undefined),
    );
    this.#options.onChange();
  }

  /** What `${artifact}` stands for. Only for one that is here. */
  pathOf({ sha256 }: Artifact): string {
    return join(this.#folder, sha256, CONTENT);
  }

  /** Forgets how tries of a version ended, so that they begin anew. */
  retry(isMeant: (key: ArtifactKey) => boolean): void {
    for (const key of this.#failures.keys()) if (isMeant(key)) this.#failures.delete(key);
  }

  /** Removes all that is not kept and not being fetched. */
  async prune(keep: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      const sha256 = name.split('.').find((part) => part !== '') ?? '';
      if (keep.has(sha256) || this.#work.has(sha256)) continue;
      this.#here.delete(sha256);
      // The marker goes first: what is removed by half must not count as whole.
      await rm(join(this.#folder, name, MARKER), { force: true }).catch(() => undefined);
      await rm(join(this.#folder, name), { recursive: true, force: true });
    }
  }

  /** Gives up what is being fetched; it goes on where it stopped next time. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#work.values());
  }

  #isSigned(artifact: Artifact): boolean {
    const statement = JSON.stringify(artifact);
    const known = this.#signed.get(statement);
    if (known !== undefined) return known;
    const signed = isSigned(artifact, this.#options.publicKeys);
    if (this.#signed.size > 1_000) this.#signed.clear();
    this.#signed.set(statement, signed);
    return signed;
  }

  async #bring(artifact: Artifact): Promise<void> {
    const { sha256, size, url } = artifact;
    if (!this.#isSigned(artifact)) throw new ArtifactError('Final', 'its signature does not hold');
    if (this.#here.has(sha256)) return;
    const part = join(this.#folder, `${sha256}.part`);
    await this.#checkSpace(artifact);
    await download({
      url,
      size,
      file: part,
      isHostAllowed: (host) => isHostAllowed(host, this.#options.policy),
      onProgress: (bytes) => this.#progress.set(keyOf(artifact), `${bytes} of ${size} bytes are here`),
      signal: this.#closing.signal,
    });
    const found = await hashOf(part);
    if (found !== sha256) {
      await forget(part);
      throw new ArtifactError('Again', `its sha256 is ${found}, and ${sha256} was signed`);
    }
    this.#progress.set(keyOf(artifact), 'it is unpacked');
    await this.#install(part, artifact);
    await forget(part);
    this.#here.add(sha256);
  }

  /** Under a name that does not count, then renamed, then marked. */
  async #install(part: string, { sha256, size }: Artifact): Promise<void> {
    const unfinished = join(this.#folder, `.${sha256}.unpacking`);
    const folder = join(this.#folder, sha256);
    await rm(unfinished, { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
    await mkdir(unfinished, { mode: 0o700 });
    try {
      if (await isArchive(part)) {
        const limit = Math.max(size * EXPANSION, LEAST_EXPANDED);
        await unpack({ file: part, folder: join(unfinished, CONTENT), limit });
      } else await place(part, join(unfinished, CONTENT));
      // Nothing looks at the content again: the marker must not outlive it.
      await syncAll(unfinished);
      await rename(unfinished, folder);
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true });
      throw error;
    }
    await writeDurably(join(folder, MARKER), `${sha256}\n`);
  }

  async #checkSpace({ size }: Artifact): Promise<void> {
    const { policy, folder } = this.#options;
    const { keepFree, disk } = policy.limits;
    const free = await freeBytes(folder);
    // The file, and its content beside it.
    const needed = 2 * size + keepFree;
    if (free < needed) {
      throw new ArtifactError(
        'Again',
        `it needs ${needed} bytes of disk, ${keepFree} of which stay free, and ${free} are free`,
      );
    }
    if (disk === undefined) return;
    const used = (await usedBytes(this.#folder)) + (await usedBytes(join(folder, 'data')));
    if (used + 2 * size > disk) {
      throw new ArtifactError(
        'Again',
        `it needs ${2 * size} bytes of disk, and ${used} of the ${disk} that the customer's policy allows are used`,
      );
    }
  }

  #failed(artifact: Artifact, error: Error): void {
    if (this.#closing.signal.aborted) return;
    const key = keyOf(artifact);
    const count = (this.#failures.get(key)?.count ?? 0) + 1;
    const isFinal = error instanceof ArtifactError && error.kind === 'Final';
    const delay = retryDelay({ ...BACKOFF, failures: count, random: this.#options.random() });
    const standing: ArtifactStanding = isFinal
      ? { kind: 'Failed', reason: error.message }
      : { kind: 'Failed', reason: error.message, retryAt: after(this.#options.clock.now(), delay) };
    this.#failures.set(key, { count, standing });
  }
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
