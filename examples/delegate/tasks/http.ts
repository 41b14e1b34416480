/** Tasks of kind `http`: one call, whose answer is the result. Redirects are answers like any other. */
import type { Json } from '../../../src/model/json.ts';
import type { TaskOutcome } from '../../../src/model/workflow.ts';
import { Fields, failed, type TaskRun } from './task.ts';

/** Of an answer's body; a larger one is a failure. */
const LARGEST_BODY = 48 * 1024;

export async function runHttp(run: TaskRun): Promise<TaskOutcome> {
  const fields = new Fields(run.payload);
  const [method, url] = [fields.text('method') || 'GET', fields.text('url')];
  const late = run.timeout > 0 ? [AbortSignal.timeout(Math.min(run.timeout, 2 ** 31 - 1))] : [];
  try {
    const response = await fetch(url, {
      method,
      ...sent(fields.texts('headers'), fields.get('body')),
      redirect: 'manual',
      signal: AbortSignal.any([run.signal, ...late]),
    });
    const text = await boundedText(response);
    if (text === undefined)
      return failed(`the answer of ${method} ${url} is longer than ${LARGEST_BODY} bytes`);
    run.onOutput(Buffer.from(`${method} ${url}: ${response.status}\n`));
    if (!isExpected(response.status, fields.numbers('expectStatus'))) {
      return failed(`${method} ${url} was answered with ${response.status}: ${text.slice(0, 200)}`);
    }
    return { kind: 'Succeeded', result: { status: response.status, body: bodyOf(response, text) } };
  } catch (error) {
    if (late[0]?.aborted === true)
      return failed(`${method} ${url} was not answered within ${run.timeout} ms`);
    const { cause, message } = error as Error;
    return failed(
      `${method} ${url}: ${cause instanceof Error && cause.message !== '' ? cause.message : message}`,
    );
  }
}

/** Text is sent as it is, anything else as JSON. */
function sent(headers: Record<string, string>, body: Json | undefined): { headers: Headers; body?: string } {
  const all = new Headers(headers);
  if (body === undefined) return { headers: all };
  if (typeof body === 'string') return { headers: all, body };
  if (!all.has('content-type')) all.set('content-type', 'application/json');
  return { headers: all, body: JSON.stringify(body) };
}

function isExpected(status: number, expected: readonly number[]): boolean {
  return expected.length === 0 ? status >= 200 && status <= 299 : expected.includes(status);
}

/** Undefined where it is too long. */
async function boundedText(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > LARGEST_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function bodyOf(response: Response, text: string): Json {
  if (!/\bjson\b/.test(response.headers.get('content-type') ?? '')) return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
