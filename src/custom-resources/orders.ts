/**
 * Verbs by annotation, for those who reach the API server and not the admin API (Argo CD's actions, kubectl): the text of an
 * order is a verb and whatever makes it another order than the one before, mostly the time. Each text is carried out at most
 * once.
 */
import type { ServiceName } from '../model/names.ts';
import type { RolloutOperations } from '../operations/rollout-types.ts';
import type { Caller, ChangeOutcome, Operations } from '../operations/types.ts';
import type { ServiceObject } from './objects.ts';

/** Where an order is written, and why it was given. */
export const ORDER_ANNOTATION = 'switchyard.dev/order';
export const REASON_ANNOTATION = 'switchyard.dev/reason';

/** Longer texts are no orders. */
const LONGEST = 256;

type Carry = (
  operations: Operations & RolloutOperations,
  request: { readonly caller: Caller; readonly service: ServiceName; readonly dryRun: boolean },
) => Promise<ChangeOutcome>;

const VERBS: Readonly<Record<string, Carry>> = {
  pause: (operations, request) => operations.pause(request),
  resume: (operations, request) => operations.resume(request),
  promote: (operations, request) => operations.promote({ ...request, full: false }),
  'promote-full': (operations, request) => operations.promote({ ...request, full: true }),
  abort: (operations, request) => operations.abort(request),
  retry: (operations, request) => operations.retry(request),
  rollback: (operations, request) => operations.rollback(request),
  freeze: (operations, request) => operations.freeze(request),
  unfreeze: (operations, request) => operations.unfreeze(request),
};

/** An order, and whether it is one that can be carried out. */
export type Order =
  | { readonly kind: 'Verb'; readonly text: string; readonly verb: string; readonly carry: Carry }
  | { readonly kind: 'NotTaken'; readonly text: string; readonly message: string };

/** What became of one, as the status has it. */
export interface OrderStatus {
  readonly text: string;
  /** `Taken`: it was begun; if that is all that is said, the controller ended before it was done or refused. */
  readonly outcome: 'Taken' | 'Done' | 'Refused';
  readonly message: string;
  readonly at: string;
}

/** The order of an object, if it is not the one that was taken last. What the status does not say is not known. */
export function newOrder(
  annotations: Readonly<Record<string, string>>,
  status: Pick<NonNullable<ServiceObject['status']>, 'observedGeneration' | 'order'> | undefined,
): Order | undefined {
  const text = annotations[ORDER_ANNOTATION]?.trim() ?? '';
  if (text === '' || text.slice(0, LONGEST) === status?.order?.text) return undefined;
  if (status?.observedGeneration === undefined) {
    const message =
      'the object had no status, as after a restore, so this may have been carried out before: order it again, with another time';
    return { kind: 'NotTaken', text: text.slice(0, LONGEST), message };
  }
  const [verb = ''] = text.split(/\s+/);
  const carry = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  if (carry !== undefined && text.length <= LONGEST) return { kind: 'Verb', text, verb, carry };
  return {
    kind: 'NotTaken',
    text: text.slice(0, LONGEST),
    message:
      carry === undefined
        ? `${ORDER_ANNOTATION}: ${JSON.stringify(verb)} is no order: write one of ${Object.keys(VERBS).join(', ')}, and the time`
        : `${ORDER_ANNOTATION}: has ${text.length} characters, at most ${LONGEST} are read`,
  };
}
