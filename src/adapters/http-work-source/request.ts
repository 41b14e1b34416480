/**
 * One bounded HTTP/1.1 request to an instance: method and path enter, status and body leave, or an error in words.
 * Not `fetch`: it refuses some ports that an instance may have. Every request has its own connection, so that a
 * pooled one does not count as open work, and redirects are answers like any other.
 */
import { type IncomingMessage, request } from 'node:http';
import type { Milliseconds } from '../../model/instant.ts';
import type { SocketAddress } from '../../model/spec.ts';

/** What to ask, and how long and how large the answer may be. */
export interface Ask {
  readonly address: SocketAddress;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly timeout: Milliseconds;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** Rejects where no whole answer came in time and size. */
export async function ask({ address, method, path, timeout, maxBytes, signal }: Ask): Promise<Reply> {
  const late = AbortSignal.timeout(timeout);
  const bounded = AbortSignal.any([signal, late]);
  try {
    const response = await send({ address, method, path, signal: bounded });
    return { status: response.statusCode ?? 0, body: await readBounded(response, maxBytes) };
  } catch (error) {
    if (late.aborted) throw new Error(`no answer within ${timeout} ms`, { cause: error });
    if (signal.aborted) throw new Error('the round was ended before it answered', { cause: error });
    throw error;
  }
}

function send(options: Pick<Ask, 'address' | 'method' | 'path' | 'signal'>): Promise<IncomingMessage> {
  const { address, method, path, signal } = options;
  return new Promise((resolve, reject) => {
    const { host, port } = address;
    request({ host, port, method, path, signal, agent: false, headers: { accept: 'application/json' } })
      .on('response', resolve)
      .on('error', reject)
      .end();
  });
}

async function readBounded(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new Error(`its answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
