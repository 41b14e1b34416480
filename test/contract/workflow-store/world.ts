/** How the suite gets its databases, and the few moves that most of its tests are made of. */
import { afterEach } from 'vitest';
import type { Milliseconds } from '../../../src/model/instant.ts';
import type { VersionName } from '../../../src/model/names.ts';
import type { Step } from '../../../src/model/step.ts';
import type {
  Execution,
  ExecutionId,
  HistoryEntry,
  HistoryKind,
  TaskOutcome,
} from '../../../src/model/workflow.ts';
import type {
  ClaimedEvent,
  ClaimedTask,
  DelegateLease,
  DelegateSlots,
  EventLease,
  FinishOutcome,
  NewExecution,
  WorkflowStore,
} from '../../../src/ports/workflow-store.ts';
import { eventually } from '../../support/eventually.ts';
import {
  delegateWorker,
  newExecution,
  newTask,
  slots,
  step,
  V1,
  worker,
} from '../../support/workflow/builders.ts';

/** An empty database of the engine under test, which several clients may open at once. */
export interface WorkflowDatabase {
  /** Another client of it, as another process would be one. The suite closes it. */
  open(): Promise<WorkflowStore>;
  /** Called when all clients are closed. */
  remove(): Promise<void>;
}

export type MakeWorkflowDatabase = () => Promise<WorkflowDatabase>;

/** How most tasks of tests end. */
export const DONE: TaskOutcome = { kind: 'Succeeded', result: { exit: 0 } };

/** A lease that no test outlives. */
export const LONG: Milliseconds = 60_000;
/** A lease that tests wait for. */
export const SHORT: Milliseconds = 200;

export interface World {
  /** A client of a database of its own. */
  store(): Promise<WorkflowStore>;
  /** Two clients of one database. */
  stores(): Promise<readonly [WorkflowStore, WorkflowStore]>;
}

/** Databases for the tests of one file; each is closed and removed after its test. */
export function worldOf(makeDatabase: MakeWorkflowDatabase): World {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });
  async function clients(count: number): Promise<readonly WorkflowStore[]> {
    const database = await makeDatabase();
    cleanups.push(() => database.remove());
    const opened: WorkflowStore[] = [];
    for (let index = 0; index < count; index += 1) {
      const store = await database.open();
      cleanups.push(() => store.close());
      opened.push(store);
    }
    return opened;
  }
  return {
    store: async () => (await clients(1))[0] as WorkflowStore,
    stores: async () => (await clients(2)) as unknown as readonly [WorkflowStore, WorkflowStore],
  };
}

/** Starts an execution that must be new. */
export async function started(store: WorkflowStore, wanted: Partial<NewExecution> = {}): Promise<Execution> {
  const outcome = await store.start(newExecution(wanted));
  if (outcome.kind !== 'Started') throw new Error(`the execution was not started: ${outcome.kind}`);
  return outcome.execution;
}

/** What a manager of these versions claims now. */
export function claimed(
  store: WorkflowStore,
  wanted: { versions?: readonly VersionName[]; limit?: number; lease?: Milliseconds } = {},
): Promise<readonly ClaimedEvent[]> {
  const { versions = [V1], limit = 100, lease = LONG } = wanted;
  return store.claimEvents({ worker: worker(versions[0]), versions, limit, lease });
}

/** The one event that is due. */
export async function claimedOne(
  store: WorkflowStore,
  wanted: Parameters<typeof claimed>[1] = {},
): Promise<ClaimedEvent> {
  const events = await claimed(store, wanted);
  return only(events);
}

/** Waits until an event is due, and claims it. */
export async function claimedSoon(
  store: WorkflowStore,
  wanted: Parameters<typeof claimed>[1] = {},
): Promise<ClaimedEvent> {
  const events = await eventually(async () => {
    const found = await claimed(store, wanted);
    return found.length > 0 ? found : undefined;
  });
  return only(events);
}

/** What delegates with these places are given now. */
export function claimedTasks(
  store: WorkflowStore,
  places: readonly DelegateSlots[] = [slots()],
  lease: Milliseconds = LONG,
): Promise<readonly ClaimedTask[]> {
  return store.claimTasks({ worker: worker(), slots: places, lease });
}

/** Waits until a task is due, and claims it. */
export async function taskSoon(
  store: WorkflowStore,
  places: readonly DelegateSlots[] = [slots()],
  lease: Milliseconds = LONG,
): Promise<ClaimedTask> {
  const tasks = await eventually(async () => {
    const found = await claimedTasks(store, places, lease);
    return found.length > 0 ? found : undefined;
  });
  return only(tasks);
}

export function leaseOf(claim: ClaimedEvent): EventLease {
  return { event: claim.event.id, token: claim.lease.token };
}

export function taskLeaseOf({ task, lease }: ClaimedTask): DelegateLease {
  return { task: task.id, token: lease.token, tenant: task.tenant, versions: [task.version] };
}

/** Applies a step to a claimed event on the execution that came with it; it must not conflict. */
export async function applied(
  store: WorkflowStore,
  claim: ClaimedEvent,
  decided: Partial<Step> = {},
): Promise<void> {
  const outcome = await store.apply({
    lease: leaseOf(claim),
    revision: claim.execution.revision,
    step: step(decided),
    worker: worker(),
  });
  if (outcome.kind !== 'Applied') throw new Error(`the step was not applied: ${outcome.kind}`);
}

/** Reports the result of a claimed task. */
export function finished(
  store: WorkflowStore,
  claim: ClaimedTask,
  outcome: TaskOutcome = DONE,
  backoff = 0,
): Promise<FinishOutcome> {
  return store.finishTask({
    lease: taskLeaseOf(claim),
    outcome,
    backoff,
    worker: worker(),
    delegate: delegateWorker(claim.delegate),
  });
}

/** An execution whose first step has created these tasks. */
export async function withTasks(
  store: WorkflowStore,
  tasks: readonly ReturnType<typeof newTask>[] = [newTask('build')],
  wanted: Partial<NewExecution> = {},
): Promise<Execution> {
  const execution = await started(store, wanted);
  const claim = await claimedOne(store, { versions: [execution.version] });
  await applied(store, claim, { tasks });
  return existing(store, execution.id);
}

/** An execution that has Failed. */
export async function failed(store: WorkflowStore, wanted: Partial<NewExecution> = {}): Promise<Execution> {
  const execution = await started(store, wanted);
  const claim = await claimedOne(store, { versions: [execution.version], limit: 1 });
  await applied(store, claim, { end: { state: 'Failed', error: 'it broke' } });
  return existing(store, execution.id);
}

export async function existing(store: WorkflowStore, id: ExecutionId): Promise<Execution> {
  const execution = await store.execution(id);
  if (execution === undefined) throw new Error(`there is no execution ${id}`);
  return execution;
}

export async function kinds(store: WorkflowStore, id: ExecutionId): Promise<readonly HistoryKind[]> {
  return (await store.history(id)).map(({ kind }) => kind);
}

/** The newest line of a kind. */
export async function line(store: WorkflowStore, id: ExecutionId, kind: HistoryKind): Promise<HistoryEntry> {
  const found = (await store.history(id)).findLast((entry) => entry.kind === kind);
  if (found === undefined) throw new Error(`the history has no line ${kind}`);
  return found;
}

export function only<Item>(items: readonly Item[]): Item {
  const [first] = items;
  if (items.length !== 1 || first === undefined) throw new Error(`expected one, found ${items.length}`);
  return first;
}
