/** An Event of events.k8s.io/v1, within the limits that the API server holds it to. Pure. */
import { createHash } from 'node:crypto';
import type { Instant } from '../../../model/instant.ts';
import { visible } from '../../../model/text.ts';
import type { Kind, KubernetesObject } from '../client/objects.ts';
import { microTime } from '../client/times.ts';

export const EVENT: Kind = {
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  scope: 'Namespaced',
};

/** An object that an Event is about. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** What there is to say. */
export interface Occurrence {
  readonly at: Instant;
  /** Of what happened: the same text is the same occurrence, also after a restart. */
  readonly id: string;
  readonly type: 'Normal' | 'Warning';
  /** What the controller did or tried, in UpperCamelCase. */
  readonly action: string;
  /** Why, in UpperCamelCase: for programs. */
  readonly reason: string;
  /** For people. */
  readonly note: string;
}

export interface EventObject extends KubernetesObject {
  readonly eventTime: string;
  readonly reportingController: string;
  readonly reportingInstance: string;
  readonly action: string;
  readonly reason: string;
  readonly regarding: ObjectReference;
  readonly type: 'Normal' | 'Warning';
  readonly note: string;
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

/** Of the API server, in bytes of UTF-8 for the note. */
const LONGEST_NOTE = 1_024;
const LONGEST_WORD = 128;
const LONGEST_NAME_PREFIX = 200;

export function eventObject(
  occurrence: Occurrence,
  about: { readonly regarding: ObjectReference; readonly instance: string },
): EventObject {
  const { regarding, instance } = about;
  const { at, type, action, reason, note } = occurrence;
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: EVENT.kind,
    metadata: { name: eventName(occurrence, regarding), namespace: regarding.namespace },
    eventTime: microTime(at),
    reportingController: 'switchyard.dev/controller',
    reportingInstance: instance.slice(0, LONGEST_WORD),
    action: action.slice(0, LONGEST_WORD),
    reason: reason.slice(0, LONGEST_WORD),
    regarding,
    type,
    note: cutToBytes(visible(note), LONGEST_NOTE),
  };
}

/** The same for the same occurrence: a leader that tells again what another one has told makes no second object. */
export function eventName({ id }: Pick<Occurrence, 'id'>, { name, uid }: ObjectReference): string {
  const hash = createHash('sha256').update(`${uid}\n${id}`).digest('hex').slice(0, 16);
  return `${name.slice(0, LONGEST_NAME_PREFIX)}.${hash}`;
}

/** What makes two events equal: they are one series. */
export function equalityOf({ type, action, reason, note }: Occurrence, { uid }: ObjectReference): string {
  return JSON.stringify([uid, type, action, reason, note]);
}

/** At most so many bytes, and no half character. */
function cutToBytes(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text;
  const ellipsis = '…';
  const room = most - Buffer.byteLength(ellipsis);
  let bytes = 0;
  let kept = '';
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > room) break;
    kept += character;
  }
  return kept + ellipsis;
}
