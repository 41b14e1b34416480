/**
 * What one instance of the example manager knows of itself: who it is, what is open on it, and whether it is fenced.
 * Every face (HTTP, websocket, gRPC) begins its work here, so that one count covers them all.
 */
import { EventEmitter } from 'node:events';

/** Who answers. */
export interface Identity {
  readonly version: string;
  readonly instance: string;
}

/** What is wrong with a release, for demos and tests of what notices it. */
export interface Faults {
  /** Share of plain requests that are answered with 500, in percent. */
  readonly failPercent: number;
  /** Time that every plain request takes longer, in milliseconds. */
  readonly delayMs: number;
  /** Whose requests fail. Copies change nothing, so what a release gets wrong may never show on them. */
  readonly failFor: 'Everyone' | 'Clients';
}

/** One open request or stream. */
export interface OpenWork {
  readonly kind: 'request' | 'stream';
  readonly id: string;
  /** ISO 8601. */
  readonly since: string;
}

/** The answer to "what is open?"; `total` covers all, `open` lists the oldest hundred. */
export interface WorkReport {
  readonly asOf: string;
  readonly open: readonly OpenWork[];
  readonly total: number;
}

/** The value of `x-switchyard-mirror` on a request that is a copy. Proxies set it, and remove it where clients do. */
const COPY = '1';

/** Whether a request is a copy that a proxy made to try this version out: it must change nothing. */
export function isCopy(mark: string | readonly string[] | null | undefined): boolean {
  return mark === COPY;
}

/** The request header that marks a copy. */
export const COPY_HEADER = 'x-switchyard-mirror';

/** Every Envoy adds it to a request, so its absence shows that the caller speaks to the instance directly. */
export const PROXIED_HEADER = 'x-forwarded-proto';

/** A fenced instance was asked to begin something new. The caller may try again elsewhere. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
  constructor(version: string) {
    super(
      `version ${version} is draining and takes no new work; try again without the pin, or on another version`,
    );
  }
}

const REPORTED_AT_MOST = 100;

/** One instance. `fence` and `lift` are told to every open stream by the listeners that it registered. */
export class Instance {
  readonly identity: Identity;
  readonly #open = new Map<string, OpenWork>();
  readonly #events = new EventEmitter<{ draining: []; idle: [] }>().setMaxListeners(0);
  #begun = 0;
  #fenced = false;

  readonly #faults: Faults;
  #asked = 0;

  constructor(identity: Identity, faults: Faults = { failPercent: 0, delayMs: 0, failFor: 'Everyone' }) {
    this.identity = identity;
    this.#faults = faults;
  }

  /** How the next plain request fares: the share that fails is spread evenly, so that it is the same in every run. */
  nextFate(request: { readonly isCopy: boolean }): { readonly fails: boolean; readonly delayMs: number } {
    const { failPercent, delayMs, failFor } = this.#faults;
    if (request.isCopy && failFor === 'Clients') return { fails: false, delayMs };
    const before = Math.floor((this.#asked * failPercent) / 100);
    this.#asked += 1;
    return { fails: Math.floor((this.#asked * failPercent) / 100) > before, delayMs };
  }

  get fenced(): boolean {
    return this.#fenced;
  }

  /** Takes no new work from now on and tells the open streams. Calling it again changes nothing. */
  fence(): void {
    if (this.#fenced) return;
    this.#fenced = true;
    this.#events.emit('draining');
  }

  /** Takes new work again. */
  lift(): void {
    this.#fenced = false;
  }

  /**
   * Counts a piece of work until the returned function is called. A copy is not counted: its client waits for the answer
   * of another version, so nobody loses anything when it ends. Throws FencedError for new streams behind the fence.
   */
  begin(work: { kind: OpenWork['kind']; face: string; passesFence?: boolean; isCopy?: boolean }): () => void {
    if (this.#fenced && work.passesFence !== true) throw new FencedError(this.identity.version);
    if (work.isCopy === true) return () => {};
    this.#begun += 1;
    const id = `${work.face}-${this.#begun}`;
    this.#open.set(id, { kind: work.kind, id, since: new Date().toISOString() });
    return () => {
      if (this.#open.delete(id) && this.#open.size === 0) this.#events.emit('idle');
    };
  }

  /** Calls back when the instance is fenced. Returns the way to stop that. */
  onDraining(listener: () => void): () => void {
    this.#events.on('draining', listener);
    return () => void this.#events.off('draining', listener);
  }

  report(): WorkReport {
    return {
      asOf: new Date().toISOString(),
      open: [...this.#open.values()].slice(0, REPORTED_AT_MOST),
      total: this.#open.size,
    };
  }

  /** Resolves when nothing is open, at once if so already; rejects with the signal's reason. */
  idle(signal: AbortSignal): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const stop = () => reject(signal.reason as Error);
      signal.addEventListener('abort', stop, { once: true });
      this.#events.once('idle', () => {
        signal.removeEventListener('abort', stop);
        resolve();
      });
      if (signal.aborted) stop();
    });
  }
}
