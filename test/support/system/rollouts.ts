/** Waits for a rollout to come somewhere, and says where it stands where it does not. */
import { ROLLOUT_STATE } from '../../../src/admin/enums.ts';
import type { RolloutState, RolloutView } from '../../../src/gen/switchyard/admin/v1/rollouts_pb.js';
import { eventually } from '../eventually.ts';
import type { Site } from './site.ts';

export type RolloutStateName = keyof typeof ROLLOUT_STATE;

/** The rollout of a service that goes on, or its last one. */
export async function rolloutOf(site: Site, service: string): Promise<RolloutView> {
  const { view } = await site.call('getRollout', { service });
  if (view === undefined) throw new Error(`the controller shows no rollout of ${service}`);
  return view;
}

/** Resolves with the view when the rollout is in one of these states; rejects with what it did instead. */
export async function rolloutBecomes(
  site: Site,
  service: string,
  ...states: readonly RolloutStateName[]
): Promise<RolloutView> {
  const wanted: readonly RolloutState[] = states.map((state) => ROLLOUT_STATE[state]);
  let last: RolloutView | undefined;
  const isThere = async (): Promise<RolloutView | undefined> => {
    last = await rolloutOf(site, service);
    return last.rollout !== undefined && wanted.includes(last.rollout.state) ? last : undefined;
  };
  try {
    return await eventually(isThere, { what: states.join(' or '), within: 90_000, every: 100 });
  } catch (error) {
    throw new Error(`${String(error)}\n${last === undefined ? '' : story(last)}`, { cause: error });
  }
}

/** What the rollout did, a line for each decision, and what it waits for. */
function story({ decisions, waitsFor }: RolloutView): string {
  return [...decisions.map(({ action, message }) => `${action}: ${message}`), ...waitsFor].join('\n');
}
