/** explain: which version a request would reach, and why. Reads the published table; changes nothing. */
import { listenersOf } from '../model/table.ts';
import { explain as decide } from '../routing/explain.ts';
import { AmbiguousListenerError } from '../routing/virtual-hosts.ts';
import { type OperationContext, requireService } from './context.ts';
import { type Decision, type ExplainRequest, OperationError } from './types.ts';

/** Throws OperationError where the service or the listener is not known, or the host leaves the listener open. */
export function explain({ controller }: OperationContext, request: ExplainRequest): Decision {
  const { table } = controller.publications;
  if (request.service !== undefined) requireService(controller.ledger.records(), request.service);
  const listeners = [...listenersOf(table).keys()];
  if (request.listener !== undefined && !listeners.some((name) => name === request.listener)) {
    const known = listeners.length === 0 ? 'there is none' : `known: ${listeners.join(', ')}`;
    throw new OperationError('NotFound', `listener: there is no listener "${request.listener}"; ${known}`);
  }
  try {
    return decide(table, request);
  } catch (error) {
    if (error instanceof AmbiguousListenerError)
      throw new OperationError('InvalidArgument', `listener: ${error.message}`);
    throw error;
  }
}
