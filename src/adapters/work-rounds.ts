/**
 * The WorkSource port by asking every instance of a version, whatever the protocol. One instance that does not answer as
 * it should makes the count unknown and the fence unconfirmed; nothing is ever taken for zero (rule 8).
 */
import type { Instance } from '../model/instance.ts';
import { type Instant, instant } from '../model/instant.ts';
import type { FenceOutcome, OpenWork, WorkCount, WorkRequest, WorkSource } from '../ports/work-source.ts';
import { askAll, inOneLine, reasonsOf, type Tried, valuesOf } from './instance-round.ts';

/** The open work of one instance. */
export interface InstanceWork {
  readonly asOf: Instant;
  readonly total: number;
  /** May be cut off by the instance; `total` counts. */
  readonly open: readonly OpenWork[];
}

/** How one instance is asked. Each function rejects where the instance did not answer as it should. */
export interface InstanceAsker {
  readonly fence: (request: WorkRequest, instance: Instance) => Promise<void>;
  readonly lift: (request: WorkRequest, instance: Instance) => Promise<void>;
  readonly count: (request: WorkRequest, instance: Instance) => Promise<InstanceWork>;
}

const NO_INSTANCES = 'no instance of the version is known, so nobody can be asked';

/** A work source that asks with `asker`, `concurrency` instances at a time. */
export function workSourceOf(asker: InstanceAsker, concurrency: number): WorkSource {
  async function order(request: WorkRequest, give: InstanceAsker['fence']): Promise<FenceOutcome> {
    const { instances } = request;
    const ask = (instance: Instance): Promise<void> => give(request, instance);
    const reasons = reasonsOf(await askAll({ instances, concurrency, ask }));
    return reasons.length === 0 ? { kind: 'confirmed' } : { kind: 'unconfirmed', reasons };
  }

  return {
    async fence(request) {
      // A fence that nobody holds would not stop the next instance that comes up.
      if (request.instances.length === 0) return { kind: 'unconfirmed', reasons: [NO_INSTANCES] };
      return order(request, asker.fence);
    },
    lift: (request) => order(request, asker.lift),
    async count(request) {
      const { instances } = request;
      if (instances.length === 0) return { kind: 'unknown', reason: NO_INSTANCES };
      return total(
        await askAll({ instances, concurrency, ask: (instance) => asker.count(request, instance) }),
      );
    },
  };
}

/** The sum, as of the oldest answer. One missing answer makes it unknown. */
function total(tried: readonly Tried<InstanceWork>[]): WorkCount {
  const reasons = reasonsOf(tried);
  if (reasons.length > 0) return { kind: 'unknown', reason: inOneLine(reasons) };
  const works = valuesOf(tried);
  return {
    kind: 'counted',
    asOf: instant(Math.min(...works.map(({ asOf }) => asOf))),
    total: works.reduce((sum, work) => sum + work.total, 0),
    open: works.flatMap(({ open }) => open),
    certificate: 'observed',
  };
}
