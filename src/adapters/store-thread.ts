/**
 * Calls to a store that lives in a worker thread, where SQLite may block. One answer comes for each call, in the order
 * of the calls; a call that was made before `close` is answered before it.
 */
import { Worker } from 'node:worker_threads';

/** The argument and result of each call, by name. Every store has `open` and `close`. */
export type CallTable = Readonly<Record<string, { readonly argument: unknown; readonly result: unknown }>> & {
  readonly open: { readonly argument: undefined; readonly result: undefined };
  readonly close: { readonly argument: undefined; readonly result: undefined };
};

/** One call. */
export type CallOf<Table> = {
  [Name in keyof Table]: Table[Name] extends { readonly argument: infer Argument }
    ? { readonly name: Name; readonly argument: Argument }
    : never;
}[keyof Table];

/** What the worker says: the answer to the oldest call that has none, or, unasked, that something has changed. */
export type Answer<Failure> =
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'error'; readonly error: Failure }
  | { readonly kind: 'changed' };

export interface StoreThreadOptions<Failure> {
  /** The worker's file. */
  readonly file: URL;
  /** What it is started with. */
  readonly settings: unknown;
  readonly fromPlain: (failure: Failure) => Error;
  /** Makes the error of all calls after the thread has ended without being asked to. */
  readonly lost: (cause: Error) => Error;
  readonly onChanged?: () => void;
}

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

export class StoreThread<Table extends CallTable, Failure> {
  readonly #options: StoreThreadOptions<Failure>;
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  readonly #ended: Promise<void>;
  #closing: Promise<void> | undefined;
  #failure: Error | undefined;

  private constructor(options: StoreThreadOptions<Failure>) {
    this.#options = options;
    this.#worker = new Worker(options.file, { workerData: options.settings });
    this.#worker.on('message', (answer: Answer<Failure>) => this.#settle(answer));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#ended = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#fail(new Error('its thread has ended'));
        resolve();
      });
    });
  }

  /** Starts the thread and waits until it has opened its file. Rejects with what `open` does. */
  static async open<Table extends CallTable, Failure>(
    options: StoreThreadOptions<Failure>,
  ): Promise<StoreThread<Table, Failure>> {
    const thread = new StoreThread<Table, Failure>(options);
    try {
      await thread.call('open', undefined);
      return thread;
    } catch (error) {
      await thread.#worker.terminate();
      throw error;
    }
  }

  async call<Name extends keyof Table & string>(
    name: Name,
    argument: Table[Name]['argument'],
  ): Promise<Table[Name]['result']> {
    if (this.#closing !== undefined && name !== 'close') throw new Error('the store is closed');
    if (this.#failure !== undefined) throw this.#failure;
    return new Promise((resolve, reject) => {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origin
      this.#worker.postMessage({ name, argument });
      this.#waiting.push({ resolve, reject });
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.call('close', undefined).then(() => this.#ended);
    return this.#closing;
  }

  #settle(answer: Answer<Failure>): void {
    if (answer.kind === 'changed') return this.#options.onChanged?.();
    const waiting = this.#waiting.shift();
    if (answer.kind === 'result') waiting?.resolve(answer.result as never);
    else waiting?.reject(this.#options.fromPlain(answer.error));
  }

  #fail(cause: Error): void {
    this.#failure ??= this.#options.lost(cause);
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}
