/** Rounds over objects by name: what fails is told and tried again, and what somebody else wrote first comes by the watch. */
import { isConflict } from '../adapters/kubernetes/client/api-error.ts';
import { Rounds, type RoundsOptions } from '../adapters/rounds.ts';
import type { ServiceName } from '../model/names.ts';

/** `backoff` is 0.5 to 30 seconds and `gather` 300 ms where they are not given: what changes close together is written together. */
export interface ObjectRoundsOptions extends Omit<RoundsOptions<ServiceName>, 'round'> {
  readonly look: (service: ServiceName) => Promise<void>;
  readonly onProblem: (problem: { readonly service: ServiceName; readonly error: unknown }) => void;
}

const BACKOFF = { initial: 500, max: 30_000 };
const GATHER = 300;

export function objectRounds(options: ObjectRoundsOptions): Rounds<ServiceName> {
  const { look, onProblem, ...rounds } = options;
  return new Rounds({
    backoff: BACKOFF,
    gather: GATHER,
    ...rounds,
    round: async (service) => {
      try {
        await look(service);
        return true;
      } catch (error) {
        if (!isConflict(error)) onProblem({ service, error });
        return false;
      }
    },
  });
}
