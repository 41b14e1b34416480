/**
 * One change from message to answer: parse, run the operation, wait for the proxies. Once the operation has returned,
 * the change is committed: from there on nothing may turn the answer into an error.
 */
import type { Change } from '../gen/switchyard/admin/v1/changes_pb.js';
import type { Milliseconds } from '../model/instant.ts';
import type { ChangeOutcome, ChangeRequest, Convergence, Operations } from '../operations/types.ts';
import type { CallFacts } from './contract.ts';
import type { FaultListener } from './definition.ts';
import { changeOf, waitOf } from './parse.ts';
import { type ChangeResultInit, convergenceToMessage, serviceToMessage } from './views.ts';

/** Time that an answer is given to reach the client before the call's deadline, in milliseconds. */
const LONGEST_ANSWER: Milliseconds = 500;

/** Runs one change. The wait is parsed first: a bad one must be refused before the commit. */
export type ChangeRunner = (
  message: { change?: Change | undefined },
  call: CallFacts,
  operation: (request: ChangeRequest) => Promise<ChangeOutcome>,
) => Promise<{ result: ChangeResultInit }>;

export function changeRunner(operations: Operations, onFault: FaultListener): ChangeRunner {
  return async (message, call, operation) => {
    const request = changeOf(message.change);
    const wait = waitOf('change.wait_timeout', message.change?.waitTimeout);
    const outcome = await operation(request);
    const convergence = await converge({ operations, onFault, publication: outcome.publication, wait, call });
    return {
      result: {
        service: serviceToMessage(viewAfter(operations, outcome), 'withoutDocument'),
        message: outcome.message,
        convergence: convergenceToMessage(convergence),
        impact: [...outcome.impact],
      },
    };
  };
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
export async function converge(request: {
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
