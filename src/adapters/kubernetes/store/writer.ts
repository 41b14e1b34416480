/**
 * Requests of the store that end: each is tried until it is answered or its time is over, and a write whose answer was lost
 * is looked up before anything is repeated. Every write is for one object as it was read, by a leader: another one's write in
 * between, or another leader's, makes the server refuse it.
 */
import { retryDelay } from '../../../model/backoff.ts';
import type { Milliseconds } from '../../../model/instant.ts';
import type { Clock } from '../../../ports/clock.ts';
import { NotLeaderError } from '../../../ports/store.ts';
import { isNotFound, KubernetesApiError, unlessNotFound } from '../client/api-error.ts';
import type { Leadership } from '../client/leader-election.ts';
import type { Kind } from '../client/objects.ts';
import { StoreRejectedError, StoreUnavailableError } from './errors.ts';
import type { Objects, StoredObject } from './objects.ts';

export type Write<Stored extends StoredObject> =
  | { readonly kind: 'Create'; readonly of: Kind; readonly object: Stored }
  /** The object has the uid and resourceVersion that were read. */
  | { readonly kind: 'Replace'; readonly of: Kind; readonly object: Stored }
  | { readonly kind: 'Delete'; readonly of: Kind; readonly name: string; readonly uid: string };

export type Outcome<Stored extends StoredObject> =
  /** `object` is absent after a deletion. */
  | { readonly kind: 'Written'; readonly object?: Stored }
  /** Another hand was faster: this is what is there now, or nothing. */
  | { readonly kind: 'Overtaken'; readonly found?: Stored };

export interface WriterOptions {
  readonly objects: Objects;
  /** Asked before each request that writes. */
  readonly leadership: () => Leadership;
  readonly clock: Clock;
  /** Milliseconds that only ever grow. */
  readonly monotonic: () => Milliseconds;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** How long a request is tried. Default 15 s. */
  readonly patience?: Milliseconds;
}

const PATIENCE: Milliseconds = 15_000;
/** One attempt; an API server that has lost its etcd answers after half a minute. */
const LONGEST_REQUEST: Milliseconds = 5_000;
const BACKOFF = { initial: 50, max: 2_000 };

/** What an error says of the request. */
type Fate =
  /** Another try may succeed; `carriedOut`: this one may have, too. */
  | { readonly kind: 'Again'; readonly carriedOut: boolean; readonly wait: Milliseconds }
  /** The object is not as it was read. */
  | { readonly kind: 'Overtaken' }
  | { readonly kind: 'Refused' };

export class Writer {
  readonly #options: WriterOptions;
  readonly #leaseTerm: number;
  readonly #stop = new AbortController();

  /** For as long as this replica leads without a break. Throws NotLeaderError where it does not lead. */
  constructor(options: WriterOptions) {
    this.#options = options;
    const leadership = options.leadership();
    if (leadership.kind === 'Following') throw new NotLeaderError(leadership.leader);
    this.#leaseTerm = leadership.term;
  }

  /** Of the Lease. */
  get leaseTerm(): number {
    return this.#leaseTerm;
  }

  /** Ends what waits; nothing is asked any more. */
  stop(): void {
    this.#stop.abort(new Error('the store is closed'));
  }

  /** Throws NotLeaderError where this replica does not lead, or leads again after another one might have. */
  assertLeading(): void {
    const leadership = this.#options.leadership();
    if (leadership.kind === 'Following') throw new NotLeaderError(leadership.leader);
    if (leadership.term !== this.#leaseTerm) throw new NotLeaderError('');
  }

  /** Rejects with StoreUnavailableError, StoreRejectedError. */
  async list<Item extends StoredObject>(of: Kind): Promise<readonly Item[]> {
    return this.#untilAnswered(of.plural, async (signal) => {
      try {
        return await this.#options.objects.list<Item>(of, signal);
      } catch (error) {
        if (!isNotFound(error)) throw error;
        const advice = 'install the definitions: kubectl apply -f manifests/kubernetes/crds';
        throw new StoreRejectedError(`the API server knows no ${of.plural}; ${advice}`, { cause: error });
      }
    });
  }

  /** Undefined where there is none. Rejects with StoreUnavailableError, StoreRejectedError. */
  async find<Item extends StoredObject>(of: Kind, name: string): Promise<Item | undefined> {
    return this.#untilAnswered(`${of.kind} ${name}`, (signal) => this.#found<Item>(of, name, signal));
  }

  /** Whether the server would take it: rights, quotas, webhooks, and that nobody was faster. Nothing is written. */
  rehearse<Item extends StoredObject>(write: Write<Item>): Promise<Outcome<Item>> {
    return this.#untilAnswered(nameOf(write), async (signal): Promise<Outcome<Item>> => {
      this.assertLeading();
      try {
        await this.#send(write, { signal, isRehearsal: true });
        return { kind: 'Written' };
      } catch (error) {
        if (fateOf(error).kind !== 'Overtaken') throw error;
        const settled = settledBy(write, await this.#foundFor(write, signal));
        if (settled === undefined) throw error;
        return settled;
      }
    });
  }

  /** Rejects with NotLeaderError, StoreUnavailableError, StoreRejectedError. */
  async write<Item extends StoredObject>(write: Write<Item>): Promise<Outcome<Item>> {
    let mustLook = false;
    let mayBeWritten = false;
    const attempt = async (signal: AbortSignal): Promise<Outcome<Item>> => {
      if (mustLook) {
        const settled = settledBy(write, await this.#foundFor(write, signal));
        if (settled !== undefined) return settled;
      }
      this.assertLeading();
      try {
        return await this.#send(write, { signal });
      } catch (error) {
        const fate = fateOf(error);
        mayBeWritten ||= fate.kind === 'Again' && fate.carriedOut;
        mustLook ||= mayBeWritten || fate.kind === 'Overtaken';
        throw error;
      }
    };
    try {
      return await this.#untilAnswered(nameOf(write), attempt, () => mayBeWritten);
    } catch (error) {
      // One that was paused has run out of time without having tried: that it leads no more says more.
      if (error instanceof StoreUnavailableError) this.assertLeading();
      throw error;
    }
  }

  /** Repeats what may be repeated, with longer and longer waits, for as long as there is patience. */
  async #untilAnswered<T>(
    what: string,
    ask: (signal: AbortSignal) => Promise<T>,
    mayBeWritten = () => false,
  ): Promise<T> {
    const { clock, monotonic, random, patience = PATIENCE } = this.#options;
    const deadline = monotonic() + patience;
    for (let failures = 1; ; failures++) {
      const left = Math.max(1, Math.min(LONGEST_REQUEST, deadline - monotonic()));
      try {
        return await ask(AbortSignal.any([this.#stop.signal, AbortSignal.timeout(Math.ceil(left))]));
      } catch (error) {
        this.#stop.signal.throwIfAborted();
        if (error instanceof NotLeaderError || error instanceof StoreRejectedError) throw error;
        const fate = fateOf(error);
        if (fate.kind === 'Refused') {
          throw new StoreRejectedError(`the API server refuses ${what}: ${(error as Error).message}`, {
            cause: error,
          });
        }
        const asked = fate.kind === 'Again' ? fate.wait : 0;
        const wait = Math.max(asked, retryDelay({ ...BACKOFF, failures, random: random() }));
        if (monotonic() + wait >= deadline) {
          throw new StoreUnavailableError({ what, mayBeWritten: mayBeWritten(), cause: named(error) });
        }
        await clock.sleep(wait, this.#stop.signal);
      }
    }
  }

  async #send<Item extends StoredObject>(
    write: Write<Item>,
    options: { readonly signal: AbortSignal; readonly isRehearsal?: boolean },
  ): Promise<Outcome<Item>> {
    const { objects } = this.#options;
    switch (write.kind) {
      case 'Create':
        return { kind: 'Written', object: await objects.create(write.of, write.object, options) };
      case 'Replace':
        return { kind: 'Written', object: await objects.replace(write.of, write.object, options) };
      case 'Delete':
        await objects.delete(write.of, write, options.signal);
        return { kind: 'Written' };
    }
  }

  #foundFor<Item extends StoredObject>(write: Write<Item>, signal: AbortSignal): Promise<Item | undefined> {
    return this.#found<Item>(
      write.of,
      write.kind === 'Delete' ? write.name : write.object.metadata.name,
      signal,
    );
  }

  async #found<Item extends StoredObject>(
    of: Kind,
    name: string,
    signal: AbortSignal,
  ): Promise<Item | undefined> {
    return this.#options.objects.get<Item>(of, name, signal).catch(unlessNotFound);
  }
}

/** What came of a write by what is there now; undefined: nothing yet, it may be sent again. */
function settledBy<Item extends StoredObject>(
  write: Write<Item>,
  found: Item | undefined,
): Outcome<Item> | undefined {
  switch (write.kind) {
    case 'Delete':
      if (found === undefined) return { kind: 'Written' };
      return found.metadata.uid === write.uid ? undefined : { kind: 'Overtaken', found };
    case 'Create':
      if (found === undefined) return undefined;
      return isWorkOf(write.object, found)
        ? { kind: 'Written', object: found }
        : { kind: 'Overtaken', found };
    case 'Replace':
      if (found === undefined) return { kind: 'Overtaken' };
      if (isWorkOf(write.object, found)) return { kind: 'Written', object: found };
      return isSame(write.object, found) ? undefined : { kind: 'Overtaken', found };
  }
}

function isWorkOf(written: StoredObject, { spec }: StoredObject): boolean {
  return spec.writeId === written.spec.writeId && spec.term === written.spec.term;
}

function isSame({ metadata }: StoredObject, found: StoredObject): boolean {
  return found.metadata.uid === metadata.uid && found.metadata.resourceVersion === metadata.resourceVersion;
}

function nameOf(write: Write<StoredObject>): string {
  return `${write.of.kind} ${write.kind === 'Delete' ? write.name : write.object.metadata.name}`;
}

/** Node says of a request that was given up only that it was. */
function named(error: unknown): unknown {
  const isGivenUp = error instanceof Error && error.name === 'AbortError';
  return isGivenUp ? new Error('no answer came', { cause: error }) : error;
}

function fateOf(error: unknown): Fate {
  // Nothing was heard, or the connection broke: the server may have done it all the same.
  if (!(error instanceof KubernetesApiError)) return { kind: 'Again', carriedOut: true, wait: 0 };
  const { code, retryAfter: wait = 0 } = error;
  if (code === 409 || code === 404) return { kind: 'Overtaken' };
  // What a list was read from is forgotten; a token was changed while we used it; too many ask.
  if (code === 410 || code === 401 || code === 429) return { kind: 'Again', carriedOut: false, wait };
  if (code >= 500 || code === 408) return { kind: 'Again', carriedOut: true, wait };
  return { kind: 'Refused' };
}
