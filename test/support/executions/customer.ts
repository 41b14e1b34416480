/**
 * A customer of one tenant, who speaks to whichever manager the gateway chooses, asks again where an answer was lost, and
 * remembers every answer.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionId } from '../../../src/model/workflow.ts';
import type { Told } from '../workflow/history-checker.ts';

/** What the API shows of an execution. */
export interface Shown {
  readonly id: string;
  readonly version: string;
  readonly state: 'Running' | 'Succeeded' | 'Failed' | 'Cancelled';
  readonly result?: unknown;
  readonly error?: string;
  readonly data?: { readonly steps: Readonly<Record<string, { readonly state: string }>> };
}

interface NamedPipeline {
  readonly name: string;
  readonly input: Readonly<Record<string, string>>;
}

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

const ANSWER_WITHIN_MS = 15_000;
const AGAIN_AFTER_MS = 250;
/** Nobody answers for so long: more than chaos can be blamed for, also where a controller takes minutes to start. */
const PATIENCE_MS = 600_000;

export class Customer {
  readonly tenant: string;
  readonly told: Told[] = [];
  /** Answers that no customer should get, one sentence each. */
  readonly surprises: string[] = [];
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #stop: AbortSignal;
  #asked = 0;
  #askedAgain = 0;

  constructor(parts: {
    readonly tenant: string;
    readonly url: string;
    readonly stop: AbortSignal;
    /** The version whose managers it speaks to; absent: whoever gets default traffic. */
    readonly pin?: string;
  }) {
    this.tenant = parts.tenant;
    this.#headers = {
      'x-tenant-id': parts.tenant,
      ...(parts.pin !== undefined && { 'x-delegate-version': parts.pin }),
    };
    this.#url = parts.url;
    this.#stop = parts.stop;
  }

  /** Requests, and those that had to be sent again. */
  get requests(): { readonly asked: number; readonly askedAgain: number } {
    return { asked: this.#asked, askedAgain: this.#askedAgain };
  }

  /**
   * Begins an execution, of a pipeline as text or of one that managers know by name, under a key that makes it one, however
   * often it is asked for.
   */
  async start(pipeline: string | NamedPipeline, idempotencyKey: string): Promise<ExecutionId> {
    const { status, body } = await this.#ask('POST', '/executions', {
      headers: { 'idempotency-key': idempotencyKey },
      body: typeof pipeline === 'string' ? { pipeline } : pipeline,
    });
    if (status !== 200 && status !== 201) throw this.#surprise(`a start was answered with ${status}`, body);
    const execution = body['id'] as ExecutionId;
    this.told.push({ kind: 'Started', execution, idempotencyKey });
    return execution;
  }

  /** False: it was refused, since the execution does not stand so that it could be. */
  async command(
    execution: ExecutionId,
    verb: 'cancel' | 'approve' | 'retry',
    fields: Readonly<Record<string, string>>,
  ): Promise<boolean> {
    const path = `/executions/${execution}/${verb}`;
    const { status, body } = await this.#ask('POST', path, { body: { by: 'customer', ...fields } });
    if (status === 409) return false;
    if (status !== 202) throw this.#surprise(`${verb} of ${execution} was answered with ${status}`, body);
    this.told.push({ kind: 'Commanded', execution, command: COMMANDS[verb] });
    return true;
  }

  async show(execution: ExecutionId): Promise<Shown> {
    const { status, body } = await this.#ask('GET', `/executions/${execution}`);
    if (status !== 200) throw this.#surprise(`${execution} was answered with ${status}`, body);
    return body as unknown as Shown;
  }

  /** Its executions that run, the newest 500. */
  async running(): Promise<ReadonlyMap<string, Shown>> {
    const { status, body } = await this.#ask('GET', '/executions?state=Running&limit=500');
    if (status !== 200) throw this.#surprise(`a list was answered with ${status}`, body);
    return new Map((body['executions'] as readonly Shown[]).map((shown) => [shown.id, shown]));
  }

  /** Asks until somebody answers who is not on the way down or up. Rejects when nobody does for long. */
  async #ask(
    method: string,
    path: string,
    more: { readonly headers?: Record<string, string>; readonly body?: unknown } = {},
  ): Promise<Answer> {
    const giveUpAt = performance.now() + PATIENCE_MS;
    for (;;) {
      this.#stop.throwIfAborted();
      this.#asked += 1;
      const answer = await this.#once(method, path, more);
      if (typeof answer !== 'string') return answer;
      if (performance.now() > giveUpAt) {
        throw this.#surprise(`${method} ${path} was not answered for ${PATIENCE_MS} ms`, answer);
      }
      this.#askedAgain += 1;
      await sleep(AGAIN_AFTER_MS, undefined, { signal: this.#stop });
    }
  }

  /** One try; a text says why it may be sent again. */
  async #once(
    method: string,
    path: string,
    { headers = {}, body }: { readonly headers?: Record<string, string>; readonly body?: unknown },
  ): Promise<Answer | string> {
    try {
      const response = await fetch(`${this.#url}${path}`, {
        method,
        headers: { ...this.#headers, ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.any([this.#stop, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
      });
      const text = await response.text();
      if (response.status >= 500) return `${response.status}: ${text}`;
      return { status: response.status, body: JSON.parse(text) as Record<string, unknown> };
    } catch (error) {
      return String(error);
    }
  }

  #surprise(what: string, why: unknown): Error {
    const sentence = `${this.tenant}: ${what}: ${typeof why === 'string' ? why : JSON.stringify(why)}`;
    if (!this.#stop.aborted) this.surprises.push(sentence);
    return new Error(sentence);
  }
}

/** As the history calls them. */
const COMMANDS = { cancel: 'Cancel', approve: 'Approve', retry: 'Retry' } as const;
