// A machine for tests that shows in its result whatever is lost or done twice: two branches count up beside each other,
// with a task after each of their steps, and the last to arrive ends the execution.
import type { Json } from '../../../src/model/json.ts';
import type { Step } from '../../../src/model/step.ts';
import type { ClaimedEvent } from '../../../src/ports/workflow-store.ts';
import { ending, newEvent, newTask, step } from './builders.ts';

type Branch = 'a' | 'b';
interface Counts {
  /** How far each branch counts. */
  readonly length: number;
  readonly a: number;
  readonly b: number;
}

/** The data that an execution begins with. */
export function counting(length: number): Json {
  return { length, a: 0, b: 0 } satisfies Counts;
}

/** What an execution of this length has come to when nothing was lost and nothing done twice. */
export function counted(length: number): { readonly result: Json; readonly steps: number } {
  // Start, each count of both branches, and each task in between.
  return { result: { length, a: length, b: length }, steps: 1 + 2 * length + 2 * (length - 1) };
}

/** The step that an event leads to. What the machine does not know (a command) changes nothing. */
export function countingStep({ event, execution }: ClaimedEvent): Step {
  const counts = execution.data as unknown as Counts;
  const unchanged = step({ data: { ...counts } });
  switch (event.kind) {
    case 'Start':
      return {
        ...unchanged,
        events: [newEvent('Count', { payload: 'a' }), newEvent('Count', { payload: 'b' })],
      };
    case 'TaskFinished': {
      const { key } = event.payload as { key: string };
      return { ...unchanged, events: [newEvent('Count', { payload: key.slice(0, 1), delay: 1 })] };
    }
    case 'Count': {
      const branch = event.payload as Branch;
      const data: Counts = { ...counts, [branch]: counts[branch] + 1 };
      if (data.a === data.length && data.b === data.length)
        return { ...ending({ ...data }), data: { ...data } };
      if (data[branch] === data.length) return step({ data: { ...data } });
      return step({
        data: { ...data },
        tasks: [newTask(`${branch}${data[branch]}`, { maxAttempts: 1_000 })],
      });
    }
    default:
      return unchanged;
  }
}
