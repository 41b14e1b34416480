/**
 * The WorkSource port over HTTP: every instance of a version is asked, in one round, at its own address.
 */
import type { Instance } from '../../model/instance.ts';
import type { Milliseconds } from '../../model/instant.ts';
import type { DrainSource } from '../../model/spec.ts';
import type { WorkRequest, WorkSource } from '../../ports/work-source.ts';
import { sendHttp } from '../http-request.ts';
import { CONCURRENCY } from '../instance-round.ts';
import { workSourceOf } from '../work-rounds.ts';
import { readWorkAnswer } from './answer.ts';

/** The bounds of a round. */
export interface HttpWorkSourceOptions {
  /** For each request. Default 2,000. */
  readonly timeout?: Milliseconds;
  /** For each answer. Default 1 MiB. */
  readonly maxBytes?: number;
  /** Requests at a time. Default 32. */
  readonly concurrency?: number;
}

/** Asks instances over HTTP/1.1 at their own address. */
export function createHttpWorkSource(options: HttpWorkSourceOptions = {}): WorkSource {
  const { timeout = 2000, maxBytes = 1024 * 1024, concurrency = CONCURRENCY } = options;

  /** The body of an answer of 2xx. */
  async function ask(call: {
    request: WorkRequest;
    instance: Instance;
    method: 'GET' | 'POST' | 'DELETE';
    path: string;
  }): Promise<string> {
    const { request, instance, method, path } = call;
    const { status, body } = await sendHttp({
      target: { protocol: 'http:', ...instance.address, path },
      method,
      headers: { accept: 'application/json' },
      timeout,
      maxBytes,
      signal: request.signal,
    });
    if (status < 200 || status > 299) throw new Error(`${method} ${path} answered status ${status}`);
    return body;
  }

  return workSourceOf(
    {
      async fence(request, instance) {
        await ask({ request, instance, method: 'POST', path: httpSource(request).fencePath });
      },
      async lift(request, instance) {
        await ask({ request, instance, method: 'DELETE', path: httpSource(request).fencePath });
      },
      async count(request, instance) {
        const path = httpSource(request).openWorkPath;
        return readWorkAnswer(await ask({ request, instance, method: 'GET', path }), instance);
      },
    },
    concurrency,
  );
}

function httpSource({ source }: WorkRequest): Extract<DrainSource, { readonly kind: 'http' }> {
  if (source.kind !== 'http')
    throw new TypeError(`drain.source is ${source.kind}, which is not asked over HTTP`);
  return source;
}
