/** Reads the example manager's answers and Switchyard's refusals: status, headers and body in, an Outcome out. */
import type { Outcome } from '../samples.ts';

const PIN_HEADER = 'x-delegate-version';
const TENANT_HEADER = 'x-tenant-id';
const ID_HEADER = 'x-test-request';
export const VERSION_HEADER = 'x-switchyard-version';
/** A request or the opening of a stream that has no answer after so long has failed. */
export const ANSWER_WITHIN_MS = 30_000;

/** The headers that say what is asked for. */
export function askingHeaders(asked: { pin?: string; tenant?: string; id?: string }): Record<string, string> {
  return {
    ...(asked.pin === undefined ? {} : { [PIN_HEADER]: asked.pin }),
    ...(asked.tenant === undefined ? {} : { [TENANT_HEADER]: asked.tenant }),
    ...(asked.id === undefined ? {} : { [ID_HEADER]: asked.id }),
  };
}

/** What an HTTP answer means. */
export function readAnswer(answer: {
  status: number;
  body: string;
  routedVersion: string | undefined;
}): Outcome {
  const { status, body, routedVersion } = answer;
  const facts = parseObject(body);
  if (status === 409 && facts?.code === 'VERSION_NOT_ACTIVE') return { kind: 'refused' };
  if (status === 200 && typeof facts?.version === 'string') {
    return answered(facts.version, routedVersion);
  }
  const isOwnError = status === 500 && typeof facts?.version === 'string';
  return {
    kind: 'failed',
    reason: `status ${status}: ${body.slice(0, 200).trim()}`,
    ...(isOwnError ? { version: facts.version as string } : {}),
  };
}

export function answered(version: string, routedVersion: string | undefined): Outcome {
  return { kind: 'answered', version, ...(routedVersion === undefined ? {} : { routedVersion }) };
}

export function failed(error: unknown): Outcome {
  return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
}

/** The JSON object in a text, or undefined where it is none. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** A header's value as one text. */
export function headerText(value: string | readonly string[] | undefined): string | undefined {
  return value === undefined || typeof value === 'string' ? value : value.join(', ');
}
