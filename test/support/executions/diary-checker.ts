/**
 * Compares what the boxes' own diary says with what the store recorded: work was done where the history says, by whom it
 * says, and not twice under one lease.
 */
import type { Execution, HistoryEntry } from '../../../src/model/workflow.ts';
import type { Fault } from '../workflow/history-checker.ts';
import type { DiaryLine } from './diary.ts';
import { ONCE } from './kinds.ts';

export interface DiaryRecord {
  readonly diary: readonly DiaryLine[];
  readonly executions: readonly Execution[];
  readonly history: readonly HistoryEntry[];
  /** Whose each box is. */
  readonly tenants: ReadonlyMap<string, string>;
}

/** What is wrong, one by one; nothing, if all was well. */
export function diaryFaults(record: DiaryRecord): readonly Fault[] {
  return [...placeFaults(record), ...leaseFaults(record), ...twiceFaults(record), ...doneFaults(record)];
}

/** Each command ran on a box of its tenant, in a delegate of its execution's version. */
function placeFaults({ diary, executions, tenants }: DiaryRecord): readonly Fault[] {
  const byId = new Map(executions.map((execution) => [String(execution.id), execution]));
  const faults: Fault[] = [];
  for (const line of diary.filter(({ what }) => what === 'began')) {
    const where = `step ${line.step} of execution ${line.execution} ran on ${line.box} in ${line.boxVersion}`;
    const execution = byId.get(line.execution);
    if (execution === undefined) {
      faults.push({ kind: 'lost', sentence: `${where}, and the store has no such execution` });
      continue;
    }
    if (execution.version !== line.boxVersion || line.version !== line.boxVersion)
      faults.push({ kind: 'wrongVersion', sentence: `${where}, and is of ${execution.version}` });
    if (tenants.get(line.box) !== execution.tenant)
      faults.push({ kind: 'wrongDelegate', sentence: `${where}, and is of tenant ${execution.tenant}` });
  }
  return faults;
}

/** Nobody worked without a lease that the store gave to that very delegate. */
function leaseFaults({ diary, history }: DiaryRecord): readonly Fault[] {
  const holders = new Map(
    history
      .filter(({ kind }) => kind === 'TaskLeased')
      .map(({ task, token, delegate }) => [`${task}.${token}`, delegate?.delegate]),
  );
  return diary
    .filter(({ what }) => what === 'began')
    .filter(({ task, token, box }) => holders.get(`${task}.${token}`) !== box)
    .map(({ task, token, box }) => ({
      kind: 'wrongDelegate',
      sentence: `${box} worked on task ${task} under token ${token}, which the store gave to ${holders.get(`${task}.${token}`)}`,
    }));
}

/** Under one lease a command runs once; a task that allows one attempt runs once whatever its leases. */
function twiceFaults({ diary }: DiaryRecord): readonly Fault[] {
  const began = diary.filter(({ what }) => what === 'began');
  const leases = Map.groupBy(began, ({ task, token }) => `${task} under token ${token}`);
  const once = Map.groupBy(
    began.filter(({ step }) => step === ONCE),
    ({ task }) => `${task}, which allows one attempt,`,
  );
  return [...leases, ...once]
    .filter(([, lines]) => lines.length > 1)
    .map(([what, lines]) => ({ kind: 'appliedTwice', sentence: `task ${what} ran ${lines.length} times` }));
}

/** What is recorded as done was done: by a command that came to its end under a lease whose result counted. */
function doneFaults({ diary, executions, history }: DiaryRecord): readonly Fault[] {
  const counted = new Set(
    history.filter(({ kind }) => kind === 'TaskFinished').map(({ task, token }) => `${task}.${token}`),
  );
  const done = new Set(
    diary
      .filter(({ what, task, token }) => what === 'ended' && counted.has(`${task}.${token}`))
      .map(({ execution, step }) => `${execution} ${step}`),
  );
  return executions.flatMap((execution) =>
    commandsDone(execution)
      .filter((step) => !done.has(`${execution.id} ${step}`))
      .map(
        (step): Fault => ({
          kind: 'lost',
          sentence: `step ${step} of execution ${execution.id} succeeded, and no box has done it`,
        }),
      ),
  );
}

interface Steps {
  readonly steps: Readonly<Record<string, { readonly state: string; readonly output?: unknown }>>;
}

/** Names of the commands of an execution that succeeded, by its own data. */
function commandsDone({ data }: Execution): readonly string[] {
  return Object.entries((data as unknown as Steps).steps)
    .filter(([, { state, output }]) => state === 'Succeeded' && isOfCommand(output))
    .map(([path]) => path.split('/').at(-1) ?? path);
}

function isOfCommand(output: unknown): boolean {
  return output !== null && typeof output === 'object' && 'exitCode' in output;
}
