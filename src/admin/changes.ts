/**
 * The calls that change something: parse, run the operation, wait for the proxies. Once the operation has returned,
 * the change is committed: from there on nothing may turn the answer into an error.
 */
import type { Duration } from '@bufbuild/protobuf/wkt';
import type { Change } from '../gen/switchyard/admin/v1/changes_pb.js';
import type { Milliseconds } from '../model/instant.ts';
import { type ServiceName, serviceName, tenantName, versionName } from '../model/names.ts';
import type { ChangeOutcome, ChangeRequest, Convergence, Operations } from '../operations/types.ts';
import type { CallFacts, Handlers } from './contract.ts';
import type { FaultListener } from './definition.ts';
import { callerOf, changeOf, exact, invalid, lengthOf, named, waitOf } from './parse.ts';
import { type ChangeResultInit, convergenceToMessage, problemToMessage, serviceToMessage } from './views.ts';
import { serviceChangeToMessage } from './views-routing.ts';

/** The methods of the API that this file answers. */
export type ChangeHandlers = Pick<
  Handlers,
  'apply' | 'deleteService' | 'flip' | 'setWeight' | 'rollback' | 'drain' | 'retire' | 'hold' | 'release'
>;

/** Time that an answer is given to reach the client before the call's deadline, in milliseconds. */
const LONGEST_ANSWER: Milliseconds = 500;

export function changeHandlers(operations: Operations, onFault: FaultListener): ChangeHandlers {
  /** One change from message to answer. The wait is parsed first: a bad one must be refused before the commit. */
  async function run(
    message: { change?: Change | undefined },
    call: CallFacts,
    operation: (request: ChangeRequest) => Promise<ChangeOutcome>,
  ): Promise<{ result: ChangeResultInit }> {
    const request = changeOf(message.change);
    const wait = waitOf('change.wait_timeout', message.change?.waitTimeout);
    const outcome = await operation(request);
    const convergence = await converge({ operations, onFault, publication: outcome.publication, wait, call });
    return {
      result: {
        service: serviceToMessage(viewAfter(operations, outcome), 'withoutDocument'),
        message: outcome.message,
        convergence: convergenceToMessage(convergence),
      },
    };
  }

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

/** The service as it is now, or as the operation left it where it is gone or was only described. */
function viewAfter(operations: Operations, outcome: ChangeOutcome) {
  const { service: record } = outcome;
  const current = operations.services().find((view) => view.record.name === record.name);
  if (current?.record.generation === record.generation) return current;
  return { record, versions: [], effectiveTraffic: record.traffic, alerts: [] };
}

/**
 * Waits as long as the caller allows, but never so long that the call's own deadline would come first: a commit must
 * not look like a failure. For the same reason an error here is told to us and not to the caller.
 */
async function converge(request: {
  operations: Operations;
  onFault: FaultListener;
  publication: number;
  wait: Milliseconds;
  call: CallFacts;
}): Promise<Convergence | undefined> {
  const { operations, onFault, publication, wait, call } = request;
  if (publication === 0) return undefined;
  try {
    const signal = AbortSignal.any([enough(wait, call.remaining()), call.signal]);
    return await operations.converge({ publication, signal });
  } catch (error) {
    onFault({ method: 'converge', error });
    return { kind: 'NotYetEverywhere', publication, acknowledged: [], stragglers: [], elapsed: 0 };
  }
}

function enough(wait: Milliseconds, remaining: Milliseconds): AbortSignal {
  const length = Math.floor(Math.min(wait, remaining - Math.min(LONGEST_ANSWER, remaining / 10)));
  return length > 0 ? AbortSignal.timeout(length) : AbortSignal.abort();
}
