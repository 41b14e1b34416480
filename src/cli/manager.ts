/**
 * The way to a manager, which owns executions; the controller does not. Any instance of any version answers, directly or
 * by way of the gateway. What it takes and gives is the HTTP API that docs/workflow.md describes.
 */
import { CliError, EXIT } from './exit.ts';
import type { Context } from './shell.ts';

/** Options of every command that asks a manager. */
export interface ManagerFlags {
  /** Where it is reached: an http or https URL. */
  readonly manager?: string;
  readonly tenant?: string;
}

/** Milliseconds for one answer. */
const ANSWER_WITHIN = 15_000;
/** Bytes of an answer: an execution with its history. */
const LARGEST_ANSWER = 64 * 1024 * 1024;

interface Call {
  readonly method: 'GET' | 'POST';
  /** Below the manager's URL, for example `/executions`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** What the manager answered. Throws CliError for refusals, with the manager's own words. */
export async function askManager<Answer>(context: Context, flags: ManagerFlags, call: Call): Promise<Answer> {
  const base = managerOf(context, flags);
  const url = new URL(`${base.pathname.replace(/\/$/, '')}${call.path}`, base);
  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  const response = await send(url, flags, call);
  const text = await bounded(response, base);
  const body = parsed(text);
  if (response.ok && body !== undefined) return body as Answer;
  throw refusal({ base, status: response.status, text, body });
}

function managerOf({ shell }: Context, { manager }: ManagerFlags): URL {
  const text = manager ?? shell.env['SWITCHYARD_MANAGER'];
  if (text === undefined || text === '') {
    throw new CliError(EXIT.usage, 'no manager is named', [
      'executions belong to managers: name one with --manager URL or SWITCHYARD_MANAGER',
    ]);
  }
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new CliError(EXIT.usage, `--manager must be an http or https URL, not ${JSON.stringify(text)}`);
  }
  return url;
}

async function send(url: URL, { tenant }: ManagerFlags, { method, headers, body }: Call): Promise<Response> {
  try {
    return await fetch(url, {
      method,
      headers: {
        ...headers,
        ...(tenant !== undefined && { 'x-tenant-id': tenant }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ANSWER_WITHIN),
    });
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') {
      const hints =
        method === 'POST' ? ['it may have been taken all the same: look before you repeat it'] : [];
      throw new CliError(
        EXIT.timeout,
        `${url.origin} did not answer within ${ANSWER_WITHIN / 1_000} s`,
        hints,
      );
    }
    const { cause, message } = error as Error;
    throw new CliError(EXIT.failed, `no manager answers at ${url.origin}`, [
      cause instanceof Error && cause.message !== '' ? cause.message : message,
    ]);
  }
}

async function bounded(response: Response, base: URL): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > LARGEST_ANSWER) {
      throw new CliError(EXIT.failed, `the answer of ${base.origin} is longer than ${LARGEST_ANSWER} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Refusal {
  readonly code?: string;
  readonly message?: string;
  readonly problems?: readonly {
    readonly line?: number;
    readonly field?: string;
    readonly message?: string;
  }[];
}

function refusal(answer: { base: URL; status: number; text: string; body: unknown }): CliError {
  const { base, status, text, body } = answer;
  const { code, message, problems = [] } = (body ?? {}) as Refusal;
  if (message === undefined) {
    return new CliError(
      EXIT.failed,
      `${base.origin} answered with ${status}, which is no answer of a manager`,
      [text.slice(0, 200).trim()],
    );
  }
  const hints = problems.map(({ line, field, message: fault }) =>
    [line === undefined ? '' : `line ${line}: `, field ? `${field}: ` : '', fault ?? ''].join(''),
  );
  if (status === 503) hints.push('it may be tried again');
  return new CliError(
    status === 400 || status === 413 ? EXIT.usage : EXIT.failed,
    `${code}: ${message}`,
    hints,
  );
}
