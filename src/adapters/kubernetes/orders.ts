/**
 * Orders that users give a rollout by an annotation of its VersionedService, as the actions of Argo CD do: the spec belongs to
 * whoever keeps it in Git. Pure.
 */
import { type Instant, instant } from '../../model/instant.ts';

export const ORDER_ANNOTATION = 'switchyard.dev/order';

/** As the verbs of the command line. */
export const ORDER_VERBS = ['pause', 'resume', 'promote', 'abort', 'retry', 'rollback'] as const;
export type OrderVerb = (typeof ORDER_VERBS)[number];

export type GivenOrder =
  | { readonly kind: 'None' }
  /** The time tells an order from the same one before; it is carried out once. */
  | { readonly kind: 'Order'; readonly verb: OrderVerb; readonly at: Instant }
  /** `why` names the annotation, its value and what would be right. */
  | { readonly kind: 'Malformed'; readonly why: string };

/** `promote 2026-11-30T02:40:00Z` */
const ORDER = /^(?<verb>[a-z]+) (?<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)$/;

/** What the annotations of an object order. */
export function orderOf(annotations: Readonly<Record<string, string>> = {}): GivenOrder {
  const text = annotations[ORDER_ANNOTATION];
  if (text === undefined) return { kind: 'None' };
  const { verb: word, time = '' } = ORDER.exec(text)?.groups ?? {};
  const verb = ORDER_VERBS.find((each) => each === word);
  const at = Date.parse(time);
  if (verb === undefined || Number.isNaN(at)) {
    const why = `the annotation ${ORDER_ANNOTATION} is ${JSON.stringify(text)}; write one of ${ORDER_VERBS.join(', ')}, a space, and the time, as in "pause 2026-11-30T02:40:00Z"`;
    return { kind: 'Malformed', why };
  }
  return { kind: 'Order', verb, at: instant(at) };
}
