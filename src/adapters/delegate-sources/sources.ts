/** One DelegateSource for all specs: the source that a spec names decides who is asked. */
import type { DelegateSourceSpec } from '../../model/delegates.ts';
import type { DelegateSource } from '../../ports/delegate-source.ts';

/** Who asks for each kind of source. `none` needs nobody. */
export type DelegateSourcesByKind = Readonly<
  Record<Exclude<DelegateSourceSpec['kind'], 'none'>, DelegateSource>
>;

/** A delegate source that hands each request to the one for its kind. A service without delegates is never asked for them. */
export function createDelegateSources(sources: DelegateSourcesByKind): DelegateSource {
  return {
    delegates: async (request) => {
      const { kind } = request.source;
      if (kind !== 'none') return sources[kind].delegates(request);
      return { kind: 'unknown', reason: 'the spec names no source of delegates (spec.delegates)' };
    },
  };
}
