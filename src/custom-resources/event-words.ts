/** What of the audit trail is told as Events of Kubernetes, on which objects, and in which words. Pure. */
import type { Occurrence } from '../adapters/kubernetes/events/event.ts';
import type { AuditEvent } from '../model/audit.ts';

/** On which objects it is seen. */
export type On = 'Service' | 'Rollout';

export interface Told {
  readonly on: readonly On[];
  readonly occurrence: Occurrence;
}

type Words = Pick<Occurrence, 'type' | 'action' | 'reason'> & { readonly on: readonly On[] };

const BOTH: readonly On[] = ['Service', 'Rollout'];
const rollout = (reason: string, type: Occurrence['type'] = 'Normal'): Words => ({
  type,
  action: 'RollOut',
  reason,
  on: BOTH,
});
const service = (action: string, reason: string, type: Occurrence['type'] = 'Normal'): Words => ({
  type,
  action,
  reason,
  on: ['Service'],
});

/** What the controller does by itself. What is not here is bookkeeping, and in the audit trail only. */
const BY_CONTROLLER: Readonly<Record<string, Words>> = {
  EnterStep: rollout('StepEntered'),
  RolloutPaused: rollout('RolloutPaused'),
  RolloutInconclusive: rollout('RolloutInconclusive', 'Warning'),
  RolloutProgressing: rollout('RolloutProgressing'),
  RolloutSucceeded: rollout('RolloutSucceeded'),
  RolloutAborted: rollout('RolloutAborted', 'Warning'),
  RolloutRolledBack: rollout('RolloutRolledBack', 'Warning'),
  RolloutFailed: rollout('RolloutFailed', 'Warning'),
  FirstPrimary: service('MoveTraffic', 'TrafficMoved'),
  EndShift: service('MoveTraffic', 'ShiftEnded'),
  TearDown: service('RetireVersion', 'TeardownBegan'),
  BeginRetirement: service('RetireVersion', 'RetirementBegan'),
  EndFreeze: service('Freeze', 'FreezeEnded'),
  ReleaseHold: service('Hold', 'HoldEnded'),
};

/** Undefined: it is not told. */
export function toldOf(event: AuditEvent): Told | undefined {
  const words = wordsOf(event);
  if (words === undefined || event.service === undefined) return undefined;
  const { on, ...rest } = words;
  return {
    on,
    occurrence: { ...rest, at: event.at, id: `audit/${event.sequence}`, note: noteOf(event) },
  };
}

function wordsOf(event: AuditEvent): Words | undefined {
  const { actor, action } = event;
  if (Object.hasOwn(BY_CONTROLLER, action)) return BY_CONTROLLER[action];
  if (action === 'Apply') return service('ApplySpec', 'SpecApplied');
  if (action === 'MoveVersion') {
    const state = newStateIn(event);
    return state === undefined ? undefined : service('MoveVersion', `Version${state}`);
  }
  return actor === 'controller' ? undefined : service(action, `${action}Ordered`);
}

/** The state that a version has come to; undefined where the event does not say. */
function newStateIn({ before, after }: AuditEvent): string | undefined {
  const [were, are] = [statesIn(before), statesIn(after)];
  return [...are].find(([name, state]) => were.get(name) !== state)?.[1];
}

function statesIn(part: string): ReadonlyMap<string, string> {
  // As changedPart writes it.
  const { versions = [] } = JSON.parse(part === '' ? '{}' : part) as {
    readonly versions?: readonly { readonly name: string; readonly state: string }[];
  };
  return new Map(versions.map(({ name, state }) => [name, state]));
}

/** The object says of which service it is; of an order, who gave it is worth as much as what it was. */
function noteOf({ service: name, actor, reason, message }: AuditEvent): string {
  const text = message.startsWith(`${name}: `) ? message.slice(`${name}: `.length) : message;
  return actor === 'controller' ? text : `${text} (${actor}${reason === '' ? '' : `: ${reason}`})`;
}
