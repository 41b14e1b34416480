/** Which tasks delegates are given: of their tenant and versions, with no tag that they lack, by priority, then by age. */
import { after, type Instant } from '../../model/instant.ts';
import type { TaskId } from '../../model/workflow.ts';
import type { ClaimedTask, DelegateSlots, WorkflowStore } from '../../ports/workflow-store.ts';
import { briefOf } from './find.ts';
import { record } from './history.ts';
import { toTags, toTask } from './rows.ts';
import type { Scope } from './scope.ts';
import type { Row } from './sql.ts';
import { wake } from './wake.ts';

export function claimTasks(
  scope: Scope,
  { worker, slots, lease }: Parameters<WorkflowStore['claimTasks']>[0],
): readonly ClaimedTask[] {
  for (const version of new Set(slots.flatMap(({ versions }) => versions))) wake(scope, version, worker);
  const until = after(scope.now, lease);
  return slots.flatMap((places) =>
    bestFor(scope, places).map((row) => claimed(scope, row, { places, until, worker })),
  );
}

/** The due tasks that fit into these places. */
function bestFor({ sql }: Scope, { tenant, versions, tags, free }: DelegateSlots): readonly Row[] {
  if (free <= 0) return [];
  const found: Row[] = [];
  for (const version of new Set(versions)) {
    // Of all sets of tags that due tasks of the tenant ask for, those that the delegate has: there are few.
    let wanted = '';
    for (;;) {
      const next = sql.row(
        'SELECT tags FROM task WHERE ready = 1 AND version = ? AND tenant = ? AND tags > ? ORDER BY tags LIMIT 1',
        version,
        tenant,
        wanted,
      );
      if (next === undefined) break;
      wanted = String(next['tags']);
      if (!toTags(wanted).every((tag) => tags.includes(tag))) continue;
      found.push(
        ...sql.rows(
          `SELECT * FROM task WHERE ready = 1 AND version = ? AND tenant = ? AND tags = ?
            ORDER BY priority DESC, key LIMIT ?`,
          version,
          tenant,
          wanted,
          free,
        ),
      );
    }
  }
  return found
    .toSorted((a, b) => Number(b['priority']) - Number(a['priority']) || Number(a['key']) - Number(b['key']))
    .slice(0, free);
}

function claimed(
  scope: Scope,
  row: Row,
  {
    places,
    until,
    worker,
  }: {
    readonly places: DelegateSlots;
    readonly until: Instant;
    readonly worker: Parameters<WorkflowStore['claimTasks']>[0]['worker'];
  },
): ClaimedTask {
  const { delegate } = places.worker;
  scope.sql.run(
    `UPDATE task SET ready = 0, leased = 1, delegate = ?, wake_at = ?, attempt = attempt + 1, token = token + 1
      WHERE key = ?`,
    delegate,
    until,
    row['key'] ?? null,
  );
  const token = Number(row['token']) + 1;
  const key = Number(row['execution']);
  const execution = briefOf(scope, key);
  record(scope, { execution: key, revision: execution.revision, worker }, [
    {
      kind: 'TaskLeased',
      task: row['id'] as TaskId,
      step: String(row['name']),
      token,
      delegate: places.worker,
    },
  ]);
  const task = toTask(row, execution.id);
  return { task: { ...task, attempt: task.attempt + 1 }, lease: { token, until }, delegate };
}
