/** The rules that hold between a rollout and the Service for clients without a proxy. */
import { findVersion } from '../../../src/model/state.ts';
import { leadsTo, PRIMARY_SERVICE_PATIENCE } from '../../../src/rollout/primary-service.ts';
import type { Committed } from './committed.ts';

/** What was broken; undefined where all hold. */
export function primaryServiceFault(committed: Committed): string | undefined {
  return soakedTooSoon(committed) ?? badGaps(committed) ?? fencedUnderClients(committed);
}

function soakedTooSoon({ before, after, observed }: Committed): string | undefined {
  const [was, is] = [before.rollout, after.rollout];
  const { primaryService: service } = observed;
  if (was === undefined || is === undefined || service === undefined || service.kind === 'NotOurs') return;
  const wasFlip = was.step.kind === 'Shift' && was.step.weight === 100;
  const isOnward = is.step.kind === 'Soak' || is.state === 'Succeeded';
  if (!wasFlip || !isOnward || was.id !== is.id || leadsTo(service) === was.version) return;
  const hasWaited =
    (was.stepEverywhere ?? Number.POSITIVE_INFINITY) + PRIMARY_SERVICE_PATIENCE <= observed.now;
  return hasWaited
    ? undefined
    : 'the step after the flip was taken although clients without a proxy are led elsewhere';
}

function badGaps({ after }: Committed): string | undefined {
  const gaps = after.rollout?.primaryServiceGaps ?? [];
  for (const [index, { from, until, routes, service }] of gaps.entries()) {
    const next = gaps[index + 1];
    if (routes === service) return 'a gap in which nothing differed';
    if (until !== undefined && until < from) return 'a gap ended before it began';
    if (next !== undefined && (until === undefined || until > next.from)) return 'two gaps at one time';
  }
  return undefined;
}

/** Rule 8: clients without a proxy, too, are off a version before it is fenced and counted. */
function fencedUnderClients({ before, after, observed }: Committed): string | undefined {
  const { primaryService: service } = observed;
  const led = service && leadsTo(service);
  const was = led && findVersion(before, led);
  if (was?.state !== 'Draining' || was.fenceAtOnce === true || led === undefined) return undefined;
  return findVersion(after, led)?.state === 'Drained'
    ? `rule 8: ${led} is Drained although clients without a proxy are led to it`
    : undefined;
}
