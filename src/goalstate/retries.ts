/** Orders of operators that boxes try a version again which they have given up. */
import type { ServiceRecord } from '../model/state.ts';
import type { BoxRetry, DelegatesRecord } from '../model/waves.ts';

/** The record with one more attempt at a version. What was ordered for versions that are gone is forgotten. */
export function retried(
  delegates: DelegatesRecord,
  order: Omit<BoxRetry, 'attempt'>,
  { versions }: Pick<ServiceRecord, 'versions'>,
): DelegatesRecord {
  const { retries = [] } = delegates;
  const before = retries.find(({ version }) => version === order.version)?.attempt ?? 0;
  const isKept = ({ version }: BoxRetry): boolean =>
    version !== order.version && versions.some(({ name, state }) => name === version && state !== 'Retired');
  return { ...delegates, retries: [...retries.filter(isKept), { ...order, attempt: before + 1 }] };
}
