/** Events that are given back, given up, and taken up again; and what operators ask of executions. */
import type { Milliseconds } from '../../model/instant.ts';
import type { EventId, Worker } from '../../model/workflow.ts';
import {
  type Command,
  type CommandOutcome,
  type EventLease,
  MAX_EVENT_ATTEMPTS,
} from '../../ports/workflow-store.ts';
import type { Change } from './changes.ts';
import { isId, jsonText, plain } from './columns.ts';
import type { EventRecord } from './records.ts';
import type { Workspace } from './workspace.ts';

const SMALL = 500;

export function givingBack(request: {
  readonly lease: EventLease;
  readonly delay: Milliseconds;
  readonly error: string;
  readonly worker: Worker;
}): Change<boolean> {
  const { lease, delay, error, worker } = request;
  return {
    needs: isId(lease.event) ? { events: [lease.event] } : {},
    weight: SMALL,
    decide(workspace) {
      const held = workspace.held(lease.event, lease.token);
      if (held === undefined) return false;
      const { event } = held;
      if (event.attempt >= MAX_EVENT_ATTEMPTS) {
        giveUp(workspace, { event, error, worker });
        return true;
      }
      workspace.saveEvent({
        ...event,
        // Nobody has this token: whoever gave it back is refused from now on.
        token: event.token + 1,
        state: delay > 0 ? 'delayed' : 'queued',
        dueAt: workspace.now + delay,
        leaseUntil: 0,
      });
      return true;
    },
  };
}

/** Dead-letters an event that was claimed once more than it may be, because all its leases ran out. */
export function abandoning({ event, token }: EventLease, worker: Worker): Change<void> {
  return {
    needs: { events: [event] },
    weight: SMALL,
    decide(workspace) {
      const held = workspace.held(event, token);
      if (held === undefined) return;
      const error = `its lease ran out ${MAX_EVENT_ATTEMPTS} times`;
      giveUp(workspace, { event: { ...held.event, attempt: MAX_EVENT_ATTEMPTS }, error, worker });
    },
  };
}

function giveUp(
  workspace: Workspace,
  { event, error, worker }: { readonly event: EventRecord; readonly error: string; readonly worker: Worker },
): void {
  const { state: _state, leaseUntil: _leaseUntil, ...letter } = event;
  workspace.events.remove(event.id);
  workspace.letters.put({ ...letter, at: workspace.now, error: plain(error) });
  workspace.tell(event.execution, {
    worker,
    kind: 'DeadLettered',
    event: event.id,
    token: event.token,
    step: event.kind,
    detail: error,
  });
}

export function reviving(id: EventId): Change<boolean> {
  return {
    needs: isId(id) ? { letters: [id], unfenced: { executions: [], letters: [id] } } : {},
    weight: SMALL,
    decide(workspace) {
      const letter = workspace.letters.get(id);
      const execution = letter && workspace.executions.get(letter.execution);
      if (letter === undefined || execution === undefined) return false;
      if (execution.state !== 'Running' && workspace.fencedSince(execution.version) !== undefined)
        return false;
      const { at: _at, error: _error, ...event } = letter;
      workspace.letters.remove(id);
      const token = event.token + 1;
      workspace.saveEvent({
        ...event,
        state: 'queued',
        dueAt: workspace.now,
        attempt: 0,
        token,
        leaseUntil: 0,
      });
      return true;
    },
  };
}

/** Throws PayloadTooLargeError. */
export function commanding({ execution: id, kind, payload, by, worker }: Command): Change<CommandOutcome> {
  const text = jsonText(`the payload of ${kind}`, payload);
  return {
    needs: isId(id)
      ? {
          executions: [id],
          ...(kind === 'Retry' ? { unfenced: { executions: [id], letters: [] } } : {}),
          newEvents: 1,
        }
      : {},
    weight: text.length + SMALL,
    decide(workspace) {
      const execution = workspace.executions.get(id);
      if (execution === undefined) return 'NotFound';
      const isAllowed =
        kind === 'Retry'
          ? execution.state === 'Failed' && workspace.fencedSince(execution.version) === undefined
          : execution.state === 'Running';
      if (!isAllowed) return 'Refused';
      const event = workspace.addEvent({ execution, kind, payload: text, dueAt: workspace.now });
      workspace.tell(id, { worker, kind: 'Commanded', event: event.id, step: kind, detail: `by ${by}` });
      return 'Appended';
    },
  };
}
