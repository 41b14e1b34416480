/**
 * The WorkSource port over HTTP: every instance of a version is asked, in one round. One that does not answer as it
 * should makes the count unknown and the fence unconfirmed; nothing is ever taken for zero (rule 8).
 */
import type { Instance } from '../../model/instance.ts';
import { instant, type Milliseconds } from '../../model/instant.ts';
import type { DrainSource } from '../../model/spec.ts';
import type { FenceOutcome, WorkCount, WorkRequest, WorkSource } from '../../ports/work-source.ts';
import { type InstanceWork, readWorkAnswer } from './answer.ts';
import { type Ask, ask, type Reply } from './request.ts';

/** The bounds of a round. */
export interface HttpWorkSourceOptions {
  /** For each request. Default 2,000. */
  readonly timeout?: Milliseconds;
  /** For each answer. Default 1 MiB. */
  readonly maxBytes?: number;
  /** Requests at a time. Default 32. */
  readonly concurrency?: number;
}

type HttpSource = Extract<DrainSource, { readonly kind: 'http' }>;
type Tried<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'failed'; readonly reason: string };

/** Reasons that are listed in full; the others are counted. */
const REASONS_SHOWN = 5;

/** Asks instances over HTTP/1.1 at their own address. */
export function createHttpWorkSource(options: HttpWorkSourceOptions = {}): WorkSource {
  const { timeout = 2000, maxBytes = 1024 * 1024, concurrency = 32 } = options;

  function askInstance(
    request: WorkRequest,
    instance: Instance,
    what: Pick<Ask, 'method' | 'path'>,
  ): Promise<Reply> {
    return ask({ ...what, address: instance.address, timeout, maxBytes, signal: request.signal });
  }

  /** Every instance in one round, `concurrency` at a time, in their order. */
  async function round<T>(
    request: WorkRequest,
    askOne: (instance: Instance) => Promise<T>,
  ): Promise<Tried<T>[]> {
    const tried: Tried<T>[] = [];
    const waiting = request.instances.entries();
    const worker = async (): Promise<void> => {
      for (const [index, instance] of waiting) tried[index] = await attempt(instance, askOne);
    };
    await Promise.all(Array.from({ length: Math.min(concurrency, request.instances.length) }, worker));
    return tried;
  }

  async function order(request: WorkRequest, method: 'POST' | 'DELETE'): Promise<FenceOutcome> {
    const { source } = request;
    if (source.kind === 'none') return { kind: 'unconfirmed', reasons: [NO_SOURCE] };
    const tried = await round(request, async (instance) => {
      requireSuccess(
        await askInstance(request, instance, { method, path: source.fencePath }),
        method,
        source.fencePath,
      );
    });
    const reasons = tried.filter((one) => one.kind === 'failed').map(({ reason }) => reason);
    return reasons.length === 0 ? { kind: 'confirmed' } : { kind: 'unconfirmed', reasons };
  }

  return {
    async fence(request) {
      // A fence that nobody holds would not stop the next instance that comes up.
      if (request.instances.length === 0) return { kind: 'unconfirmed', reasons: [NO_INSTANCES] };
      return order(request, 'POST');
    },
    lift: (request) => order(request, 'DELETE'),
    async count(request) {
      const { source } = request;
      if (source.kind === 'none') return { kind: 'unknown', reason: NO_SOURCE };
      if (request.instances.length === 0) return { kind: 'unknown', reason: NO_INSTANCES };
      return total(await round(request, (instance) => countOne(request, instance, source)));
    },
  };

  async function countOne(
    request: WorkRequest,
    instance: Instance,
    source: HttpSource,
  ): Promise<InstanceWork> {
    const reply = await askInstance(request, instance, { method: 'GET', path: source.openWorkPath });
    requireSuccess(reply, 'GET', source.openWorkPath);
    return readWorkAnswer(reply.body, instance);
  }
}

const NO_SOURCE = 'the spec names no source of open work (drain.source)';
const NO_INSTANCES = 'no instance of the version is known, so nobody can be asked';

async function attempt<T>(instance: Instance, askOne: (instance: Instance) => Promise<T>): Promise<Tried<T>> {
  try {
    return { kind: 'done', value: await askOne(instance) };
  } catch (error) {
    const { host, port } = instance.address;
    return { kind: 'failed', reason: `${instance.id} at ${host}:${port}: ${(error as Error).message}` };
  }
}

function requireSuccess(reply: Reply, method: string, path: string): void {
  if (reply.status < 200 || reply.status > 299)
    throw new Error(`${method} ${path} answered status ${reply.status}`);
}

/** The sum, as of the oldest answer. One missing answer makes it unknown. */
function total(tried: readonly Tried<InstanceWork>[]): WorkCount {
  const failed = tried.filter((one) => one.kind === 'failed');
  if (failed.length > 0) {
    const shown = failed.slice(0, REASONS_SHOWN).map(({ reason }) => reason);
    const others = failed.length > shown.length ? [`and ${failed.length - shown.length} more`] : [];
    return { kind: 'unknown', reason: [...shown, ...others].join('; ') };
  }
  const works = tried.filter((one) => one.kind === 'done').map(({ value }) => value);
  return {
    kind: 'counted',
    asOf: instant(Math.min(...works.map(({ asOf }) => asOf))),
    total: works.reduce((sum, work) => sum + work.total, 0),
    open: works.flatMap(({ open }) => open),
  };
}
