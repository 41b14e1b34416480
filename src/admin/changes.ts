/** The calls that change a service; those of rollouts are in rollout-changes.ts. */
import type { Duration } from '@bufbuild/protobuf/wkt';
import type { Milliseconds } from '../model/instant.ts';
import { type ServiceName, serviceName, tenantName, versionName } from '../model/names.ts';
import type { Operations } from '../operations/types.ts';
import { changeRunner, converge } from './change-run.ts';
import type { Handlers } from './contract.ts';
import type { FaultListener } from './definition.ts';
import { callerOf, exact, invalid, lengthOf, named, waitOf } from './parse.ts';
import { convergenceToMessage, problemToMessage } from './views.ts';
import { serviceChangeToMessage } from './views-routing.ts';

/** The methods of the API that this file answers. */
export type ChangeHandlers = Pick<
  Handlers,
  'apply' | 'deleteService' | 'flip' | 'setWeight' | 'rollback' | 'drain' | 'retire' | 'hold' | 'release'
>;

export function changeHandlers(operations: Operations, onFault: FaultListener): ChangeHandlers {
  const run = changeRunner(operations, onFault);
  return {
    async apply(message, call) {
      const wait = waitOf('wait_timeout', message.waitTimeout);
      const outcome = await operations.apply({
        caller: callerOf({ actor: message.actor, reason: message.reason, prefix: '' }),
        documents: message.documents.map(({ file, text }) => ({ file, text })),
        expectedGenerations: expectedGenerations(message.expectedGenerations),
        dryRun: message.dryRun,
      });
      return {
        changes: outcome.changes.map(serviceChangeToMessage),
        warnings: outcome.warnings.map(problemToMessage),
        convergence: convergenceToMessage(
          await converge({ operations, onFault, publication: outcome.publication, wait, call }),
        ),
      };
    },
    deleteService: (message, call) => run(message, call, (change) => operations.deleteService(change)),
    flip: (message, call) =>
      run(message, call, (change) =>
        operations.flip({ ...change, version: versionOf(message), waiveGates: message.waiveGates }),
      ),
    setWeight: (message, call) =>
      run(message, call, (change) =>
        operations.setWeight({
          ...change,
          version: versionOf(message),
          waiveGates: message.waiveGates,
          weight: message.weight,
        }),
      ),
    rollback: (message, call) =>
      run(message, call, (change) =>
        operations.rollback({
          ...change,
          ...(message.to !== '' && { to: named('to', message.to, versionName) }),
        }),
      ),
    drain: (message, call) =>
      run(message, call, (change) =>
        operations.drain({
          ...change,
          version: versionOf(message),
          giveUpRollback: message.giveUpRollback,
          waiveStragglers: message.waiveStragglers,
        }),
      ),
    retire: (message, call) =>
      run(message, call, (change) =>
        operations.retire({
          ...change,
          version: versionOf(message),
          giveUpRollback: message.giveUpRollback,
          waiveOpenWork: message.waiveOpenWork,
          waiveStragglers: message.waiveStragglers,
        }),
      ),
    hold: (message, call) =>
      run(message, call, (change) =>
        operations.hold({
          ...change,
          tenant: tenantOf(message),
          version: versionOf(message),
          duration: durationOf(message),
        }),
      ),
    release: (message, call) =>
      run(message, call, (change) => operations.release({ ...change, tenant: tenantOf(message) })),
  };
}

const versionOf = (message: { version: string }) => named('version', message.version, versionName);
const tenantOf = (message: { tenant: string }) => named('tenant', message.tenant, tenantName);

function durationOf(message: { duration?: Duration | undefined }): Milliseconds {
  const length = message.duration === undefined ? 0 : lengthOf('duration', message.duration);
  if (length === 0) throw invalid('duration', 'is missing or 0; say how long the hold lasts');
  return length;
}

function expectedGenerations(fields: { [service: string]: bigint }): ReadonlyMap<ServiceName, number> {
  return new Map(
    Object.entries(fields).map(([service, generation]) => [
      named('expected_generations', service, serviceName),
      exact(`expected_generations[${service}]`, generation),
    ]),
  );
}
