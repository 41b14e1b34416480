/**
 * One bounded HTTP/1.1 request: what to ask enters, status and body leave, or an error in words. Not `fetch`: it refuses
 * some ports that an instance may have. Every request has its own connection, so that a pooled one does not count as open
 * work, and redirects are answers like any other.
 */
import { type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import type { Milliseconds } from '../model/instant.ts';

/** Where a request goes. The path is sent as it is. */
export interface HttpTarget {
  readonly protocol: 'http:' | 'https:';
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

/** What to ask, and how long and how large the answer may be. */
export interface HttpRequest {
  readonly target: HttpTarget;
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For the whole answer. */
  readonly timeout: Milliseconds;
  readonly maxBytes: number;
  /** What becomes of a longer answer: it is refused, or its rest is not read. Default: refused. */
  readonly longer?: 'Refuse' | 'CutOff';
  readonly signal: AbortSignal;
}

export interface HttpReply {
  readonly status: number;
  readonly body: string;
}

/** The target of a URL. Throws TypeError where it is not http or https. */
export function targetOf(url: string): HttpTarget {
  const { protocol, hostname, port, pathname, search } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new TypeError(`${JSON.stringify(url)} is not an http or https URL`);
  }
  const defaultPort = protocol === 'http:' ? 80 : 443;
  return {
    protocol,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? defaultPort : Number(port),
    path: `${pathname}${search}`,
  };
}

/** Rejects where no whole answer came in time and size. */
export async function sendHttp(wanted: HttpRequest): Promise<HttpReply> {
  const { timeout, signal, maxBytes, longer = 'Refuse' } = wanted;
  const late = AbortSignal.timeout(timeout);
  try {
    const response = await responseTo(wanted, AbortSignal.any([signal, late]));
    const body = await readBounded(response, { maxBytes, longer });
    return { status: response.statusCode ?? 0, body };
  } catch (error) {
    if (late.aborted) throw new Error(`no answer within ${timeout} ms`, { cause: error });
    if (signal.aborted) throw new Error('the round was ended before it answered', { cause: error });
    throw error;
  }
}

function responseTo(wanted: HttpRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const { target, method, headers, body } = wanted;
  const { protocol, host, port, path } = target;
  const send = protocol === 'https:' ? requestSecure : requestPlain;
  return new Promise((resolve, reject) => {
    send({ host, port, path, method, headers: { ...headers }, agent: false, signal })
      .on('response', resolve)
      .on('error', reject)
      .end(body);
  });
}

async function readBounded(
  response: IncomingMessage,
  { maxBytes, longer }: { maxBytes: number; longer: 'Refuse' | 'CutOff' },
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size <= maxBytes) continue;
    if (longer === 'Refuse') throw new Error(`its answer is longer than ${maxBytes} bytes`);
    break;
  }
  return Buffer.concat(chunks).subarray(0, maxBytes).toString('utf8');
}
