/** The part of the history checker that follows each task of an execution through its lines. */
import type { Execution, HistoryEntry, TaskId } from '../../../src/model/workflow.ts';
import { type Fault, mayWorkOn, type Recorded } from './history-checker.ts';

/** What is wrong with the tasks of one execution. Its lines are in order. */
export function taskFaults(
  execution: Execution,
  lines: readonly HistoryEntry[],
  recorded: Recorded,
): readonly Fault[] {
  const tasks = Map.groupBy(
    lines.filter(({ task }) => task !== undefined),
    ({ task }) => task as TaskId,
  );
  return [...tasks].flatMap(([task, own]) => [
    ...courseFaults(task, own),
    ...(execution.state === 'Running' ? [] : leftOpen(task, own)),
    ...delegateFaults(execution, own, recorded),
  ]);
}

/** Created once, leased under rising tokens, and over once, by the one who had it last. */
function courseFaults(task: TaskId, lines: readonly HistoryEntry[]): readonly Fault[] {
  const faults: Fault[] = [];
  const fault = (kind: Fault['kind'], what: string): number =>
    faults.push({ kind, sentence: `task ${task} ${what}` });
  if (lines[0]?.kind !== 'TaskCreated') fault('gaps', `begins with ${lines[0]?.kind}`);
  let holder: HistoryEntry | undefined;
  let isOver = false;
  for (const line of lines) {
    const { kind, token = 0, delegate, sequence } = line;
    if (isOver) fault('appliedTwice', `was over before line ${sequence} (${kind})`);
    if (kind === 'TaskLeased') {
      if (token <= (holder?.token ?? 0))
        fault('appliedTwice', `was leased under token ${token} after ${holder?.token}`);
      holder = line;
    }
    if (kind === 'TaskFinished' || kind === 'TaskRetried') {
      if (holder?.token !== token)
        fault(
          'appliedTwice',
          `has a result under token ${token}, and was leased last under ${holder?.token}`,
        );
      // A task that nobody will report any more is failed without a delegate.
      else if (delegate !== undefined && delegate.delegate !== holder.delegate?.delegate)
        fault(
          'wrongDelegate',
          `was leased to ${holder.delegate?.delegate}, and ${delegate.delegate} reported it`,
        );
    }
    isOver ||= kind === 'TaskFinished' || kind === 'TaskCancelled';
  }
  return faults;
}

function leftOpen(task: TaskId, lines: readonly HistoryEntry[]): readonly Fault[] {
  const isOver = lines.some(({ kind }) => kind === 'TaskFinished' || kind === 'TaskCancelled');
  return isOver
    ? []
    : [
        {
          kind: 'lost',
          sentence: `task ${task} was neither finished nor cancelled when its execution ended`,
        },
      ];
}

function delegateFaults(
  execution: Execution,
  lines: readonly HistoryEntry[],
  recorded: Recorded,
): readonly Fault[] {
  const faults: Fault[] = [];
  for (const { kind, task, delegate } of lines) {
    if (delegate === undefined) continue;
    const what = `${kind} of task ${task} (${execution.version}, tenant ${execution.tenant}) names delegate ${delegate.delegate}`;
    if (!mayWorkOn(recorded, delegate.version, execution.version))
      faults.push({ kind: 'wrongDelegate', sentence: `${what} of version ${delegate.version}` });
    const tenant = recorded.tenants.get(delegate.delegate);
    if (tenant !== undefined && tenant !== execution.tenant)
      faults.push({ kind: 'wrongDelegate', sentence: `${what} of tenant ${tenant}` });
  }
  return faults;
}
