/** A customer of an example manager: its HTTP API, typed as the tests read it. */
import { eventually } from '../eventually.ts';

export interface HistoryLine {
  readonly sequence: number;
  readonly kind: string;
  readonly version: string;
  readonly worker: { readonly manager: string; readonly version: string };
  readonly delegate?: { readonly delegate: string; readonly version: string };
  readonly task?: string;
  readonly token?: number;
  readonly step: string;
  readonly detail: string;
}

export interface ShownExecution {
  readonly id: string;
  readonly tenant: string;
  readonly version: string;
  readonly name: string;
  readonly state: string;
  readonly result?: unknown;
  readonly error?: string;
  readonly history: readonly HistoryLine[];
  readonly openTasks: readonly {
    readonly id: string;
    readonly key: string;
    readonly delegate?: string;
    readonly percent?: number;
    readonly note?: string;
  }[];
}

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: Record<string, unknown>;
}

export class Customer {
  readonly #base: string;
  readonly #tenant: string;

  constructor(port: number, tenant = 'acme') {
    this.#base = `http://127.0.0.1:${port}`;
    this.#tenant = tenant;
  }

  async ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(`${this.#base}${path}`, {
      method,
      headers: { 'x-tenant-id': this.#tenant, ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return {
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      body: (await response.json()) as Record<string, unknown>,
    };
  }

  /** The id of an execution of this YAML. */
  async start(pipeline: string, input?: unknown): Promise<string> {
    const { status, body } = await this.ask('POST', '/executions', {
      pipeline,
      ...(input !== undefined && { input }),
    });
    if (status !== 201) throw new Error(`start was answered with ${status}: ${JSON.stringify(body)}`);
    return body['id'] as string;
  }

  async show(id: string): Promise<ShownExecution> {
    const { status, body } = await this.ask('GET', `/executions/${id}`);
    if (status !== 200) throw new Error(`${id} was answered with ${status}: ${JSON.stringify(body)}`);
    return body as unknown as ShownExecution;
  }

  /** Waits for the end, whatever it is. */
  ended(id: string, within = 15_000): Promise<ShownExecution> {
    return this.until(id, ({ state }) => state !== 'Running', within);
  }

  until(id: string, holds: (execution: ShownExecution) => boolean, within = 15_000): Promise<ShownExecution> {
    return eventually(
      async () => {
        const shown = await this.show(id);
        return holds(shown) ? shown : undefined;
      },
      { within, every: 25, what: `execution ${id} as wanted` },
    );
  }
}
