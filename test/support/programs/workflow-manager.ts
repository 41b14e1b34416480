/**
 * A manager with delegates in one process, over a workflow file or a Postgres, which a test kills: it begins executions, works on
 * events and tasks, and prints a line for each thing that the store has told it is done. Arguments: one JSON object.
 */
import { openPostgresWorkflowStore } from '../../../src/adapters/workflow-postgres/store.ts';
import { openWorkflowSqlite } from '../../../src/adapters/workflow-sqlite/store.ts';
import type { TenantName, VersionName } from '../../../src/model/names.ts';
import type { ExecutionId } from '../../../src/model/workflow.ts';
import type { ClaimedEvent, ClaimedTask } from '../../../src/ports/workflow-store.ts';
import { delegateWorker, newExecution, worker } from '../workflow/builders.ts';
import { counting, countingStep } from '../workflow/counting.ts';
import type { Told } from '../workflow/history-checker.ts';
import type { ManagerArguments } from '../workflow/manager-process.ts';

const { database, name, version, begins, tenants, lease } = JSON.parse(
  process.argv[2] ?? '',
) as ManagerArguments;
const store = database.startsWith('postgres://')
  ? await openPostgresWorkflowStore({ connectionString: database, patience: 60_000 })
  : await openWorkflowSqlite({ file: database });
const me = worker(version as VersionName, `${name}-${process.pid}`);

/** A pipe is written to at once, so the line outlives a kill. */
function tell(told: Told): void {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

async function begin(number: number): Promise<void> {
  const key = `${name}-${number}`;
  const tenant = tenants[number % tenants.length] as TenantName;
  const outcome = await store.start({
    ...newExecution({ tenant, version: me.version, idempotencyKey: key, data: counting(1 + (number % 4)) }),
    worker: me,
  });
  if (outcome.kind === 'Fenced') throw new Error('nobody has fenced the version');
  tell({ kind: 'Started', execution: outcome.execution.id, idempotencyKey: key });
  if (number % 3 === 0) await ask(outcome.execution.id);
}

/** A question that the machine does not know changes nothing, and must be in the history all the same. */
async function ask(execution: ExecutionId): Promise<void> {
  const asked = { execution, kind: 'Approve', payload: null, by: name, worker: me } as const;
  if ((await store.command(asked)) === 'Appended') tell({ kind: 'Commanded', execution, command: 'Approve' });
}

async function work(claim: ClaimedEvent): Promise<void> {
  const { event, lease: held } = claim;
  let { execution } = claim;
  for (;;) {
    const outcome = await store.apply({
      lease: { event: event.id, token: held.token },
      revision: execution.revision,
      step: countingStep({ ...claim, execution }),
      worker: me,
    });
    if (outcome.kind === 'Applied') tell({ kind: 'Applied', event: event.id, token: held.token });
    if (outcome.kind !== 'Conflict') return;
    execution = outcome.execution;
  }
}

async function finish({ task, lease: held, delegate }: ClaimedTask): Promise<void> {
  const isUnlucky = task.attempt === 1 && task.key === 'a1';
  const outcome = await store.finishTask({
    lease: { task: task.id, token: held.token, tenant: task.tenant, versions: [task.version] },
    outcome: isUnlucky
      ? { kind: 'Failed', error: 'the first attempt fails', retryable: true }
      : { kind: 'Succeeded', result: null },
    backoff: 5,
    worker: me,
    delegate: delegateWorker(delegate, me.version),
  });
  if (outcome === 'Finished' || outcome === 'Retried')
    tell({ kind: outcome, task: task.id, token: held.token });
}

let wake = Promise.withResolvers<void>();
store.subscribe(() => wake.resolve());
let next = begins.from;
for (;;) {
  const events = await store.claimEvents({ worker: me, versions: [me.version], limit: 4, lease });
  const slots = tenants.map((tenant) => ({
    worker: delegateWorker(`${tenant}-${name}`, me.version),
    tenant: tenant as TenantName,
    versions: [me.version],
    tags: [],
    free: 2,
  }));
  const tasks = await store.claimTasks({ worker: me, slots, lease });
  await Promise.all([...events.map(work), ...tasks.map(finish)]);
  const isIdle = events.length + tasks.length < 3;
  if (isIdle && next < begins.to) {
    await begin(next);
    next += 1;
  } else if (isIdle) {
    // Delays and leases that run out call nobody.
    const timer = setTimeout(() => wake.resolve(), 20);
    await wake.promise;
    clearTimeout(timer);
    wake = Promise.withResolvers();
  }
}
