/** The task of a step: its payload with every reference replaced, and checked once more now that the values are known. */
import type { Json } from '../../model/json.ts';
import { jsonBytes, MAX_TASK_BYTES } from './bounds.ts';
import type { HttpStep, ShellStep } from './definition.ts';
import type { HttpTask, ShellTask } from './tasks.ts';
import { type Evaluated, evaluate, evaluateAsText, type Lookup } from './template.ts';

/** The payload of the task, or why there can be none. */
export function payloadOf(step: ShellStep | HttpStep, lookup: Lookup): Evaluated {
  const payload = step.kind === 'shell' ? shellTask(step, lookup) : httpTask(step, lookup);
  if (payload.kind === 'Fault') return payload;
  const bytes = jsonBytes(payload.value);
  if (bytes <= MAX_TASK_BYTES) return { kind: 'Value', value: payload.value as unknown as Json };
  return {
    kind: 'Fault',
    message: `its task has ${bytes} bytes as JSON; at most ${MAX_TASK_BYTES} are allowed`,
  };
}

function shellTask(step: ShellStep, lookup: Lookup): Evaluated<ShellTask> {
  const env = texts({ what: 'env', values: step.env, refused: /\0/, because: 'has a character NUL' }, lookup);
  if (env.kind === 'Fault') return env;
  const { command, workingDirectory } = step;
  return { kind: 'Value', value: { command, env: env.value, workingDirectory } };
}

function httpTask(step: HttpStep, lookup: Lookup): Evaluated<HttpTask> {
  const url = evaluateAsText(step.url, lookup, (text, part) =>
    part === 0 ? text : encodeURIComponent(text),
  );
  if (url.kind === 'Fault') return url;
  if (!/^https?:\/\/[^\s\0]+$/.test(url.value)) {
    return {
      kind: 'Fault',
      message: `url is ${JSON.stringify(url.value.slice(0, 80))}: it must begin with http:// or https:// and have no spaces`,
    };
  }
  const rule = { refused: /[\r\n\0]/, because: 'has a line break or a character NUL' };
  const headers = texts({ what: 'headers', values: step.headers, ...rule }, lookup);
  if (headers.kind === 'Fault') return headers;
  const { method, expectStatus } = step;
  const call = { method, url: url.value, headers: headers.value, expectStatus };
  if (step.body === undefined) return { kind: 'Value', value: call };
  const body = evaluate(step.body, lookup);
  return body.kind === 'Fault' ? body : { kind: 'Value', value: { ...call, body: body.value } };
}

function texts(
  given: {
    readonly what: string;
    readonly values: Readonly<Record<string, string>>;
    readonly refused: RegExp;
    readonly because: string;
  },
  lookup: Lookup,
): Evaluated<Readonly<Record<string, string>>> {
  const entries: [string, string][] = [];
  for (const [name, template] of Object.entries(given.values)) {
    const value = evaluateAsText(template, lookup);
    if (value.kind === 'Fault') return value;
    if (given.refused.test(value.value)) {
      return { kind: 'Fault', message: `${given.what}.${name} ${given.because}` };
    }
    entries.push([name, value.value]);
  }
  return { kind: 'Value', value: Object.fromEntries(entries) };
}
