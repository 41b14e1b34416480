/**
 * Reads what a store recorded of its executions and what its clients were told, and says what is wrong with it. It
 * knows nothing of how executions are run or kept: only what the words of the model promise.
 */
import type { TenantName, VersionName } from '../../../src/model/names.ts';
import type {
  DelegateId,
  EventId,
  Execution,
  ExecutionId,
  HistoryEntry,
  TaskId,
} from '../../../src/model/workflow.ts';
import { taskFaults } from './task-checker.ts';

/** What a client was told by a call that resolved: each must be found again. */
export type Told =
  | { readonly kind: 'Started'; readonly execution: ExecutionId; readonly idempotencyKey?: string }
  | { readonly kind: 'Applied'; readonly event: EventId; readonly token: number }
  | { readonly kind: 'Finished' | 'Retried'; readonly task: TaskId; readonly token: number }
  | { readonly kind: 'Commanded'; readonly execution: ExecutionId; readonly command: string };

export interface Recorded {
  /** All executions that the store has. */
  readonly executions: readonly Execution[];
  /** All lines of all of them, in any order. */
  readonly history: readonly HistoryEntry[];
  readonly told: readonly Told[];
  /** For a version, the others whose work it may do. */
  readonly continues: ReadonlyMap<VersionName, readonly VersionName[]>;
  /** Whose each delegate is; one that is not listed may be anybody's. */
  readonly tenants: ReadonlyMap<DelegateId, TenantName>;
  /** Whether all executions should have come to an end by now. */
  readonly isOver: boolean;
}

/** Each finding is a sentence; a store that keeps its promises has none. */
export interface Findings {
  /** Something that was begun, or told to a client, and is not there; an execution that never ends. */
  readonly lost: readonly string[];
  /** A step, a result or a start that counted more than once, or after its time. */
  readonly appliedTwice: readonly string[];
  /** Work done by a manager of a version that is not its own. */
  readonly wrongVersion: readonly string[];
  /** Work given to, or taken from, a delegate of another version or tenant, or one that did not have it. */
  readonly wrongDelegate: readonly string[];
  /** Lines that are missing from a history, or do not fit to its execution. */
  readonly gaps: readonly string[];
}

export type FaultKind = keyof Findings;
export interface Fault {
  readonly kind: FaultKind;
  readonly sentence: string;
}

export const NO_FINDINGS: Findings = {
  lost: [],
  appliedTwice: [],
  wrongVersion: [],
  wrongDelegate: [],
  gaps: [],
};

export function checkHistory(recorded: Recorded): Findings {
  const faults = [...toldFaults(recorded), ...strayLines(recorded)];
  const histories = Map.groupBy(recorded.history, ({ execution }) => execution);
  for (const execution of recorded.executions) {
    const lines = (histories.get(execution.id) ?? []).toSorted((a, b) => a.sequence - b.sequence);
    faults.push(
      ...gapsIn(execution, lines),
      ...stepFaults(execution, lines),
      ...endFaults(execution, lines, recorded.isOver),
      ...versionFaults(execution, lines, recorded),
      ...taskFaults(execution, lines, recorded),
    );
  }
  const of = (kind: FaultKind): readonly string[] =>
    faults.filter((fault) => fault.kind === kind).map(({ sentence }) => sentence);
  return {
    lost: of('lost'),
    appliedTwice: of('appliedTwice'),
    wrongVersion: of('wrongVersion'),
    wrongDelegate: of('wrongDelegate'),
    gaps: of('gaps'),
  };
}

/** Whether a version may do the work of another. */
export function mayWorkOn(recorded: Recorded, version: VersionName, work: VersionName): boolean {
  return version === work || (recorded.continues.get(version) ?? []).includes(work);
}

function toldFaults({ executions, history, told }: Recorded): readonly Fault[] {
  const known = new Set(executions.map(({ id }) => id));
  const stepped = new Set(
    history.filter(({ kind }) => kind === 'Stepped').map(({ event, token }) => `${event} ${token}`),
  );
  const taken = new Set(
    history.flatMap(({ kind, task, token }) =>
      kind === 'TaskFinished'
        ? [`Finished ${task} ${token}`]
        : kind === 'TaskRetried'
          ? [`Retried ${task} ${token}`]
          : [],
    ),
  );
  const faults: Fault[] = [];
  const lost = (sentence: string): number => faults.push({ kind: 'lost', sentence });
  for (const each of told) {
    if (each.kind === 'Started' && !known.has(each.execution))
      lost(`a client was told that execution ${each.execution} had started, and it is not there`);
    if (each.kind === 'Applied' && !stepped.has(`${each.event} ${each.token}`))
      lost(
        `a manager was told that event ${each.event} was applied under token ${each.token}, and no history says so`,
      );
    if (
      (each.kind === 'Finished' || each.kind === 'Retried') &&
      !taken.has(`${each.kind} ${each.task} ${each.token}`)
    )
      lost(
        `a delegate was told ${each.kind} for task ${each.task} under token ${each.token}, and no history says so`,
      );
  }
  const commands = counted(
    told.flatMap((each) =>
      each.kind === 'Commanded' ? [`${each.command} of execution ${each.execution}`] : [],
    ),
  );
  const recorded = counted(
    history
      .filter(({ kind }) => kind === 'Commanded')
      .map(({ step, execution }) => `${step} of execution ${execution}`),
  );
  for (const [command, times] of commands) {
    const found = recorded.get(command) ?? 0;
    if (found < times) lost(`${command} was accepted ${times} times and recorded ${found} times`);
  }
  return [...faults, ...startedTwice(told, executions)];
}

/** Clients that were told of different executions for one key of one tenant. */
function startedTwice(told: readonly Told[], executions: readonly Execution[]): readonly Fault[] {
  const tenants = new Map(executions.map(({ id, tenant }) => [id, tenant]));
  const byKey = new Map<string, Set<ExecutionId>>();
  for (const each of told) {
    if (each.kind !== 'Started' || each.idempotencyKey === undefined) continue;
    const key = `${each.idempotencyKey} of tenant ${tenants.get(each.execution)}`;
    byKey.set(key, (byKey.get(key) ?? new Set()).add(each.execution));
  }
  return [...byKey]
    .filter(([, ids]) => ids.size > 1)
    .map(([key, ids]) => ({
      kind: 'appliedTwice',
      sentence: `idempotency key ${key} began ${ids.size} executions`,
    }));
}

function strayLines({ executions, history }: Recorded): readonly Fault[] {
  const known = new Set(executions.map(({ id }) => id));
  const strays = new Set(history.map(({ execution }) => execution).filter((id) => !known.has(id)));
  return [...strays].map((id) => ({
    kind: 'lost',
    sentence: `execution ${id} has a history, and is not there itself`,
  }));
}

function gapsIn(execution: Execution, lines: readonly HistoryEntry[]): readonly Fault[] {
  const faults: Fault[] = [];
  const gap = (sentence: string): number =>
    faults.push({ kind: 'gaps', sentence: `execution ${execution.id}: ${sentence}` });
  if (lines[0]?.kind !== 'Started') gap('its history does not begin with Started');
  lines.forEach(({ sequence }, index) => {
    const before = lines[index - 1]?.sequence ?? 0;
    if (sequence !== before + 1) gap(`line ${sequence} follows line ${before}`);
  });
  let revision = 0;
  for (const line of lines) {
    const expected = line.kind === 'Stepped' ? revision + 1 : revision;
    // A revision that was there before is a step that was applied twice, and told as that.
    if (line.revision > expected)
      gap(`line ${line.sequence} (${line.kind}) is of revision ${line.revision}, after revision ${revision}`);
    revision = line.revision;
  }
  if (revision !== execution.revision)
    gap(`it is at revision ${execution.revision}, and its history ends at ${revision}`);
  return faults;
}

function stepFaults(execution: Execution, lines: readonly HistoryEntry[]): readonly Fault[] {
  const steps = lines.filter(({ kind }) => kind === 'Stepped');
  const faults: Fault[] = [];
  const twice = (sentence: string): number =>
    faults.push({ kind: 'appliedTwice', sentence: `execution ${execution.id}: ${sentence}` });
  for (const [event, times] of counted(steps.map((step) => step.event))) {
    if (event === undefined)
      faults.push({ kind: 'gaps', sentence: `execution ${execution.id}: a step names no event` });
    else if (times > 1) twice(`event ${event} was applied ${times} times`);
  }
  for (const [revision, times] of counted(steps.map((step) => step.revision))) {
    if (times > 1) twice(`${times} steps led to revision ${revision}`);
  }
  let hasEnded = false;
  for (const { kind, sequence, step } of lines) {
    // The lines of the ending step come before `Ended`; only a retry makes it run again.
    if (hasEnded && kind === 'Stepped' && step !== 'Retry')
      twice(`line ${sequence} is a step (${step}) after its end`);
    if (kind === 'Stepped') hasEnded = false;
    if (kind === 'Ended') hasEnded = true;
  }
  return faults;
}

function endFaults(execution: Execution, lines: readonly HistoryEntry[], isOver: boolean): readonly Fault[] {
  const isEnded = execution.state !== 'Running';
  const lastStep = lines.findLastIndex(({ kind }) => kind === 'Stepped');
  const saysEnded = lines.slice(lastStep + 1).some(({ kind }) => kind === 'Ended');
  const faults: Fault[] = [];
  if (isEnded !== saysEnded) {
    const sentence = `execution ${execution.id} is ${execution.state}, and its history ${saysEnded ? 'says that it ended' : 'does not say that it ended'}`;
    faults.push({ kind: 'gaps', sentence });
  }
  if (isOver && !isEnded) {
    faults.push({
      kind: 'lost',
      sentence: `execution ${execution.id} never ended (revision ${execution.revision})`,
    });
  }
  return faults;
}

function versionFaults(
  execution: Execution,
  lines: readonly HistoryEntry[],
  recorded: Recorded,
): readonly Fault[] {
  const faults: Fault[] = [];
  for (const { kind, sequence, version, worker } of lines) {
    const where = `execution ${execution.id} of ${execution.version}, line ${sequence} (${kind})`;
    if (version !== execution.version)
      faults.push({ kind: 'wrongVersion', sentence: `${where} is of version ${version}` });
    // Any version takes commands; they are appended as events of the execution's own.
    if (kind !== 'Commanded' && !mayWorkOn(recorded, worker.version, execution.version))
      faults.push({
        kind: 'wrongVersion',
        sentence: `${where} was written by manager ${worker.manager} of ${worker.version}`,
      });
  }
  return faults;
}

function counted<Item>(items: readonly Item[]): ReadonlyMap<Item, number> {
  const counts = new Map<Item, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}
