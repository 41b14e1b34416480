/**
 * The Runtime port over instances that somebody else runs: addresses of the spec and of a watched file enter,
 * instances leave. A wish chooses among what is listed; nothing is ever started or stopped.
 */
import type { Instance } from '../../model/instance.ts';
import type { Instant, Milliseconds } from '../../model/instant.ts';
import type { ServiceName, VersionName } from '../../model/names.ts';
import type { EndpointsRuntimeSpec, EndpointsVersion } from '../../model/spec.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Runtime, RuntimeWish } from '../../ports/runtime.ts';
import { ChangeFeed } from '../change-feed.ts';
import { Turns } from '../turns.ts';
import { type EndpointsFileParser, FollowedFile } from './followed-file.ts';
import { LastGood } from './last-good.ts';
import { type Listed, listInstances } from './listing.ts';

export interface EndpointsRuntimeOptions {
  readonly clock: Clock;
  readonly parseFile: EndpointsFileParser;
  /** A folder of its own, where copies of good files are kept over a restart. */
  readonly stateFolder: string;
  /** Time between two looks at a file; default 200 ms. A change counts after one or two of them. */
  readonly interval?: Milliseconds;
}

/** What is wished for one service, and what is listed for it. */
interface Service {
  spec: EndpointsRuntimeSpec;
  wanted: readonly VersionName[];
  file: FollowedFile | undefined;
  listed: Listed;
}

const DEFAULT_INTERVAL: Milliseconds = 200;
const NOTHING: Listed = { instances: [], offered: [], problems: [] };

export class EndpointsRuntime implements Runtime {
  readonly #options: EndpointsRuntimeOptions;
  readonly #lastGood: LastGood;
  readonly #services = new Map<ServiceName, Service>();
  readonly #feed = new ChangeFeed();
  readonly #turns = new Turns<ServiceName>();
  #closed = false;

  constructor(options: EndpointsRuntimeOptions) {
    this.#options = options;
    this.#lastGood = new LastGood(options.stateFolder);
  }

  async want(wish: RuntimeWish): Promise<void> {
    const { service, spec, versions } = wish;
    if (spec.kind !== 'endpoints')
      throw new TypeError(`runtime of ${service} must be "endpoints", not "${spec.kind}"`);
    await this.#inTurn(service, async () => {
      const known = this.#services.get(service) ?? { spec, wanted: [], file: undefined, listed: NOTHING };
      known.wanted = versions;
      this.#services.set(service, known);
      if (known.file?.file !== spec.file) await this.#follow(service, known, spec.file);
      // First kept, then taken out of the spec: a version that moves into the file is never without its addresses.
      await known.file?.rewish(unlistedBy(spec, known.spec));
      known.spec = spec;
      this.#refresh(service);
    });
  }

  async settled(service: ServiceName): Promise<void> {
    await this.#turns.ended(service);
    await this.#services.get(service)?.file?.settled;
  }

  instances(service: ServiceName): readonly Instance[] {
    return this.#services.get(service)?.listed.instances ?? [];
  }

  offered(service: ServiceName): readonly VersionName[] {
    return this.#services.get(service)?.listed.offered ?? [];
  }

  problems(service: ServiceName): readonly string[] {
    return this.#services.get(service)?.listed.problems ?? [];
  }

  services(): readonly ServiceName[] {
    return [...this.#services.keys()].toSorted();
  }

  async forget(service: ServiceName): Promise<void> {
    await this.#inTurn(service, async () => {
      const known = this.#services.get(service);
      if (known === undefined) return;
      await known.file?.close();
      await this.#lastGood.remove(service);
      this.#services.delete(service);
      this.#feed.changed(service);
    });
  }

  subscribe(listener: (service: ServiceName) => void): () => void {
    return this.#feed.subscribe(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#turns.allEnded();
    await Promise.all([...this.#services.values()].map(async ({ file }) => file?.close()));
  }

  /** Follows the file that the spec names from now on. What the one before listed counts until the new one is good. */
  async #follow(service: ServiceName, known: Service, file: string | undefined): Promise<void> {
    const before = known.file?.listing;
    await known.file?.close();
    known.file = undefined;
    if (file === undefined) {
      await this.#lastGood.remove(service);
      return;
    }
    known.file = new FollowedFile({
      service,
      file,
      parse: this.#options.parseFile,
      lastGood: this.#lastGood,
      clock: this.#options.clock,
      interval: this.#options.interval ?? DEFAULT_INTERVAL,
      before,
      wanted: () => known.wanted,
      onChange: () => this.#refresh(service),
    });
  }

  #refresh(service: ServiceName): void {
    const known = this.#services.get(service);
    if (known === undefined) return;
    const listed = listInstances({
      service,
      spec: known.spec,
      wanted: known.wanted,
      listing: known.file?.listing,
      fileIsGood: known.file?.isGood ?? true,
      fileProblems: known.file?.problems ?? [],
      since: new Map<string, Instant>(known.listed.instances.map(({ id, since }) => [id, since])),
      now: this.#options.clock.now(),
    });
    if (JSON.stringify(listed) === JSON.stringify(known.listed)) return;
    known.listed = listed;
    this.#feed.changed(service);
  }

  async #inTurn(service: ServiceName, change: () => Promise<void>): Promise<void> {
    if (this.#closed) throw new Error('the endpoints runtime is closed');
    await this.#turns.take(service, change);
  }
}

/** What the spec before this one listed and this one does not. */
function unlistedBy(spec: EndpointsRuntimeSpec, before: EndpointsRuntimeSpec): readonly EndpointsVersion[] {
  return before.versions.filter(({ name }) => !spec.versions.some((listed) => listed.name === name));
}
