/** One WorkSource for all specs: the source that a spec names decides who is asked. */
import type { DrainSource } from '../model/spec.ts';
import type { FenceOutcome, WorkCount, WorkRequest, WorkSource } from '../ports/work-source.ts';

/** Who asks for each kind of source. `none` needs nobody. */
export type WorkSourcesByKind = Readonly<Record<Exclude<DrainSource['kind'], 'none'>, WorkSource>>;

const NO_SOURCE = 'the spec names no source of open work (drain.source)';
const UNCONFIRMED: FenceOutcome = { kind: 'unconfirmed', reasons: [NO_SOURCE] };
const UNKNOWN: WorkCount = { kind: 'unknown', reason: NO_SOURCE };

/** A work source that hands each request to the one for its kind. */
export function createWorkSources(sources: WorkSourcesByKind): WorkSource {
  const chosen = ({ source: { kind } }: WorkRequest): WorkSource | undefined =>
    kind === 'none' ? undefined : sources[kind];
  return {
    fence: async (request) => (await chosen(request)?.fence(request)) ?? UNCONFIRMED,
    lift: async (request) => (await chosen(request)?.lift(request)) ?? UNCONFIRMED,
    count: async (request) => (await chosen(request)?.count(request)) ?? UNKNOWN,
  };
}
