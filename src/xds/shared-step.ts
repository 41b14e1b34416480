/**
 * The step of a session, computed once for all proxies in the same situation. A session holds nothing of one proxy alone
 * and the step is pure: the same session and the same event give the same result. A flip brings thousands of proxies from
 * one situation to the next, so they share one computation, one session and one list of responses.
 */
import { type Session, type SessionEvent, step } from './session.ts';
import type { Target } from './snapshot.ts';

type Step = typeof step;
type Result = ReturnType<Step>;

/** Results by the session before, then by the event. */
interface Memory {
  readonly byKey: WeakMap<Session, Map<string, Result>>;
  readonly byTarget: WeakMap<Session, WeakMap<Target, Result>>;
  size: number;
}

/** So many results are remembered at most: clients choose what they send, and may send something else each time. */
const REMEMBERED = 10_000;

/** A step with a memory. `forget` empties it: what led to an earlier publication is of no use for the next one. */
export function createSharedStep(): { readonly step: Step; forget(): void } {
  let memory = emptyMemory();
  return {
    step(from) {
      const { session, event, blocked } = from;
      if (blocked.size > 0) return step(from);
      if (memory.size >= REMEMBERED) memory = emptyMemory();
      if (event.kind === 'Target') {
        const results = entry(memory.byTarget, session, () => new WeakMap<Target, Result>());
        return remembered(memory, results, event.target, () => step(from));
      }
      const key = keyOf(event);
      if (key === undefined) return step(from);
      const results = entry(memory.byKey, session, () => new Map<string, Result>());
      return remembered(memory, results, key, () => step(from));
    },
    forget() {
      memory = emptyMemory();
    },
  };
}

function emptyMemory(): Memory {
  return { byKey: new WeakMap(), byTarget: new WeakMap(), size: 0 };
}

interface Results<Key> {
  get(key: Key): Result | undefined;
  set(key: Key, result: Result): unknown;
}

function entry<Value>(map: WeakMap<Session, Value>, session: Session, make: () => Value): Value {
  let value = map.get(session);
  if (value === undefined) map.set(session, (value = make()));
  return value;
}

function remembered<Key>(memory: Memory, results: Results<Key>, key: Key, compute: () => Result): Result {
  let result = results.get(key);
  if (result === undefined) {
    result = compute();
    results.set(key, result);
    memory.size += 1;
  }
  return result;
}

/** All that the step reads of an event, as text. Undefined for what is rare, or different for each proxy. */
function keyOf(event: Exclude<SessionEvent, { kind: 'Target' }>): string | undefined {
  if (event.kind !== 'Request') return event.kind === 'Closed' ? `Closed ${event.type}` : event.kind;
  const { type, request } = event;
  const { answers } = request;
  // When it came is only told of a rejection.
  if (request.error !== undefined) return undefined;
  const answered = answers.kind === 'response' ? answers.serial : answers.kind;
  // As JSON, since a client may put anything into a name: no text of one request may be that of another.
  if (request.dialect === 'sotw') return JSON.stringify([type, answered, request.version, request.names]);
  if (request.initialVersions.size > 0) return undefined;
  return JSON.stringify([type, answered, { plus: request.subscribe, minus: request.unsubscribe }]);
}
