/**
 * The MetricSource port over Prometheus' HTTP API v1. Raw samples are asked as an instant query of `selector[range]`,
 * which answers what was scraped; a range query would answer values at steps. Whatever goes wrong is told with the
 * server's name, without the password that its URL may hold.
 */
import type { Instant, Milliseconds } from '../../model/instant.ts';
import type { PrometheusSpec } from '../../model/spec.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MetricSource, Series } from '../../ports/metric-source.ts';
import { systemClock } from '../clock.ts';
import { type HttpTarget, sendHttp, targetOf } from '../http-request.ts';
import { dataOf, readMatrix, readVector } from './answer.ts';

/** The bounds of answers. */
export interface PrometheusOptions {
  /** Of one answer. Default 32 MiB. */
  readonly maxBytes?: number;
  /** The longest range that is asked at once; longer ones are asked in parts. Default an hour. */
  readonly longestRange?: Milliseconds;
  /** The longest that is waited for scrapes under way at a range's end. Default 500 ms. */
  readonly settle?: Milliseconds;
  readonly clock?: Clock;
}

/** A metric source that asks the server which each request names. */
export function createPrometheusSource(options: PrometheusOptions = {}): MetricSource {
  const {
    maxBytes = 32 * 1024 * 1024,
    longestRange = 3_600_000,
    settle = 500,
    clock = systemClock,
  } = options;

  async function ask(
    server: PrometheusSpec,
    what: { readonly path: string; readonly form?: Readonly<Record<string, string>> },
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>>> {
    const { target, headers, name } = addressOf(server.url, what.path);
    const { timeout } = server;
    const reply = await sendHttp({
      target,
      method: what.form === undefined ? 'GET' : 'POST',
      headers: { ...headers, ...(what.form === undefined ? {} : FORM) },
      ...(what.form === undefined ? {} : { body: new URLSearchParams(what.form).toString() }),
      timeout,
      maxBytes,
      signal,
    }).catch((error: unknown) => {
      throw new Error(`Prometheus at ${name}: ${describe(error)}`, { cause: error });
    });
    return named(name, () => dataOf(reply));
  }

  function instantQuery(request: {
    readonly server: PrometheusSpec;
    readonly query: string;
    readonly at: Instant;
    readonly signal: AbortSignal;
  }): Promise<Readonly<Record<string, unknown>>> {
    const { server, query, at, signal } = request;
    const form = { query, time: (at / 1000).toFixed(3), timeout: `${Math.ceil(server.timeout)}ms` };
    return ask(server, { path: '/api/v1/query', form }, signal);
  }

  /**
   * A sample has the time at which its scrape began, and is stored when it has ended. Asked too early, it would be
   * missing here and be the beginning of the next range: what it counted would be in neither.
   */
  async function settled(
    to: Instant,
    { scrapeInterval }: PrometheusSpec,
    signal: AbortSignal,
  ): Promise<void> {
    const rest = to + Math.min(settle, scrapeInterval / 2) - clock.now();
    if (rest > 0) await clock.sleep(rest, signal);
  }

  return {
    async query(request) {
      try {
        const data = await instantQuery(request);
        return { kind: 'vector', elements: named(nameOf(request.server), () => readVector(data)) };
      } catch (error) {
        return { kind: 'error', reason: describe(error) };
      }
    },

    async samples({ server, selector, from, to, signal }) {
      const found = new Map<string, Series>();
      try {
        await settled(to, server, signal);
        for (let begin: number = from; begin < to; begin += longestRange) {
          const end = Math.min(to, begin + longestRange) as Instant;
          const query = `${selector}[${end - begin}ms]`;
          const data = await instantQuery({ server, query, at: end, signal });
          const part = named(nameOf(server), () => readMatrix(data));
          // Prometheus 2 includes the beginning of a range, Prometheus 3 does not.
          for (const series of part) append(found, series, { after: begin, upTo: end });
        }
        return { kind: 'series', series: [...found.values()] };
      } catch (error) {
        return { kind: 'error', reason: describe(error) };
      }
    },

    async version(server, signal) {
      const { version } = await ask(server, { path: '/api/v1/status/buildinfo' }, signal);
      if (typeof version !== 'string' || version === '')
        throw new Error(`Prometheus at ${nameOf(server)} does not say its version`);
      return version;
    },
  };
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' } as const;

function addressOf(
  url: string,
  path: string,
): {
  readonly target: HttpTarget;
  readonly headers: Readonly<Record<string, string>>;
  readonly name: string;
} {
  const { username, password, host } = new URL(url);
  const base = targetOf(url);
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return {
    target: { ...base, path: `${base.path.replace(/\/+$/, '')}${path}` },
    headers: {
      accept: 'application/json',
      // Without it node:http names the address that it connects to, which a proxy in between may not know.
      host,
      ...(username === '' ? {} : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }),
    },
    name: host,
  };
}

function nameOf({ url }: PrometheusSpec): string {
  return new URL(url).host;
}

function append(
  found: Map<string, Series>,
  { labels, samples }: Series,
  { after, upTo }: { readonly after: number; readonly upTo: number },
): void {
  const newer = samples.filter(({ at }) => at > after && at <= upTo);
  if (newer.length === 0) return;
  const key = JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  found.set(key, { labels, samples: [...(found.get(key)?.samples ?? []), ...newer] });
}

function named<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`Prometheus at ${name} ${describe(error)}`, { cause: error });
  }
}

/** An error in words: that of several addresses tried has none of its own. */
function describe(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(describe).join('; ');
  return error instanceof Error ? error.message : String(error);
}
