/** The calls that start, steer and stop rollouts. */
import { versionName } from '../model/names.ts';
import type { Operations } from '../operations/types.ts';
import { changeRunner } from './change-run.ts';
import type { Handlers } from './contract.ts';
import type { FaultListener } from './definition.ts';
import { invalid, lengthOf, named } from './parse.ts';

/** The methods of the API that this file answers. */
export type RolloutChangeHandlers = Pick<
  Handlers,
  | 'deploy'
  | 'pauseRollout'
  | 'resumeRollout'
  | 'promoteRollout'
  | 'abortRollout'
  | 'retryRollout'
  | 'freeze'
  | 'unfreeze'
>;

export function rolloutChangeHandlers(operations: Operations, onFault: FaultListener): RolloutChangeHandlers {
  const run = changeRunner(operations, onFault);
  return {
    deploy: (message, call) =>
      run(message, call, (change) =>
        operations.deploy({
          ...change,
          version: named('version', message.version, versionName),
          urgent: message.urgent,
        }),
      ),
    pauseRollout: (message, call) => run(message, call, (change) => operations.pause(change)),
    resumeRollout: (message, call) => run(message, call, (change) => operations.resume(change)),
    promoteRollout: (message, call) =>
      run(message, call, (change) => operations.promote({ ...change, full: message.full })),
    abortRollout: (message, call) => run(message, call, (change) => operations.abort(change)),
    retryRollout: (message, call) => run(message, call, (change) => operations.retry(change)),
    freeze: (message, call) =>
      run(message, call, (change) => operations.freeze({ ...change, ...freezeTime(message) })),
    unfreeze: (message, call) => run(message, call, (change) => operations.unfreeze(change)),
  };
}

function freezeTime({ duration }: { duration?: Parameters<typeof lengthOf>[1] | undefined }) {
  if (duration === undefined) return {};
  const length = lengthOf('duration', duration);
  if (length === 0) throw invalid('duration', 'is 0; leave it out to freeze until unfreeze');
  return { duration: length };
}
