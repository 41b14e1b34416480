/** The statements that write what was decided: one for each kind of change, for any number of rows. */
import type { Statement } from './connection.ts';
import type { EventRecord, ExecutionRecord, TaskRecord } from './records.ts';
import type { Workspace } from './workspace.ts';

type Value = string | number | boolean | null;

interface Column<Item> {
  readonly name: string;
  readonly type: string;
  readonly of: (item: Item) => Value | undefined;
}

const column = <Item>(name: string, type: string, of: Column<Item>['of']): Column<Item> => ({
  name,
  type,
  of,
});

/** Each list of values as one array, so that a statement has the same text for any number of rows. */
function valuesOf<Item>(columns: readonly Column<Item>[], items: readonly Item[]): readonly Value[][] {
  return columns.map(({ of }) => items.map((item) => of(item) ?? null));
}

function unnested<Item>(columns: readonly Column<Item>[]): string {
  const arrays = columns.map(({ type }, index) => `$${index + 1}::${type}[]`);
  return `unnest(${arrays.join(', ')}) AS v (${columns.map(({ name }) => name).join(', ')})`;
}

/** An INSERT of many rows. `expressions` replaces values by what SQL makes of them. */
function inserting<Item>(
  table: string,
  columns: readonly Column<Item>[],
  expressions: Readonly<Record<string, string>> = {},
): (items: readonly Item[]) => Statement {
  const names = columns.map(({ name }) => name);
  const selected = names.map((name) => expressions[name] ?? `v.${name}`);
  const text = `INSERT INTO ${table} (${names.join(', ')}) SELECT ${selected.join(', ')} FROM ${unnested(columns)}`;
  return (items) => ({ text, values: valuesOf(columns, items) });
}

/** An UPDATE of many rows by their id, which is the first column. */
function updating<Item>(
  table: string,
  columns: readonly Column<Item>[],
): (items: readonly Item[]) => Statement {
  const set = columns.slice(1).map(({ name }) => `${name} = v.${name}`);
  const text = `UPDATE ${table} w SET ${set.join(', ')} FROM ${unnested(columns)} WHERE w.id = v.id`;
  return (items) => ({ text, values: valuesOf(columns, items) });
}

function deleting(table: string, by: string): (ids: readonly string[]) => Statement {
  const text = `DELETE FROM ${table} WHERE ${by} = ANY ($1::bigint[])`;
  return (ids) => ({ text, values: [ids] });
}

/** Higher priorities go first, and an index goes up. */
export const RANK_OF_ZERO = 9;

const executionChanges: readonly Column<ExecutionRecord>[] = [
  column('id', 'bigint', ({ id }) => id),
  column('state', 'text', ({ state }) => state),
  column('data', 'text', ({ data }) => data),
  column('revision', 'bigint', ({ revision }) => revision),
  column('updated_at', 'bigint', ({ updatedAt }) => updatedAt),
  column('ended_at', 'bigint', ({ endedAt }) => endedAt),
  column('deadline', 'bigint', ({ deadline }) => deadline),
  column('result', 'text', ({ result }) => result),
  column('error', 'text', ({ error }) => error),
  column('history_lines', 'bigint', ({ historyLines }) => historyLines),
];

/** Of an execution that only got lines of history, the large columns need not be sent again. */
const toldChanges: readonly Column<ExecutionRecord>[] = [
  column('id', 'bigint', ({ id }) => id),
  column('history_lines', 'bigint', ({ historyLines }) => historyLines),
];

/** What events and tasks have in common: whose they are, and who may take them when. */
type WorkRecord = Pick<EventRecord | TaskRecord, keyof EventRecord & keyof TaskRecord>;

const workChanges: readonly Column<WorkRecord>[] = [
  column('id', 'bigint', ({ id }) => id),
  column('state', 'text', ({ state }) => state),
  column('due_at', 'bigint', ({ dueAt }) => dueAt),
  column('attempt', 'integer', ({ attempt }) => attempt),
  column('token', 'bigint', ({ token }) => token),
  column('lease_until', 'bigint', ({ leaseUntil }) => leaseUntil),
];

const workColumns: readonly Column<WorkRecord>[] = [
  column('execution', 'bigint', ({ execution }) => execution),
  column('tenant', 'text', ({ tenant }) => tenant),
  column('version', 'text', ({ version }) => version),
  column('kind', 'text', ({ kind }) => kind),
  column('payload', 'text', ({ payload }) => payload),
  column('priority', 'smallint', ({ priority }) => priority),
  column('rank', 'smallint', ({ priority }) => RANK_OF_ZERO - priority),
];

const eventChanges: readonly Column<EventRecord>[] = workChanges;

const eventColumns: readonly Column<EventRecord>[] = [...eventChanges, ...workColumns];

const taskChanges: readonly Column<TaskRecord>[] = [
  ...workChanges,
  column('delegate', 'text', ({ delegate }) => delegate),
];

const taskColumns: readonly Column<TaskRecord>[] = [
  ...taskChanges,
  ...workColumns,
  column('key', 'text', ({ key }) => key),
  column('tags', 'text', ({ tags }) => JSON.stringify(tags)),
  column('timeout', 'bigint', ({ timeout }) => timeout),
  column('max_attempts', 'integer', ({ maxAttempts }) => maxAttempts),
];

const updateExecutions = updating('executions', executionChanges);
const updateTold = updating('executions', toldChanges);
const insertEvents = inserting('events', eventColumns);
const updateEvents = updating('events', eventChanges);
// An array of arrays of different lengths is no array to Postgres.
const insertTasks = inserting('tasks', taskColumns, {
  tags: 'ARRAY (SELECT json_array_elements_text(v.tags::json))',
});
const updateTasks = updating('tasks', taskChanges);
const insertLetters = inserting<ReturnType<Workspace['letters']['all']>[number]>('dead_letters', [
  column('id', 'bigint', ({ id }) => id),
  column('execution', 'bigint', ({ execution }) => execution),
  column('tenant', 'text', ({ tenant }) => tenant),
  column('version', 'text', ({ version }) => version),
  column('kind', 'text', ({ kind }) => kind),
  column('payload', 'text', ({ payload }) => payload),
  column('priority', 'smallint', ({ priority }) => priority),
  column('due_at', 'bigint', ({ dueAt }) => dueAt),
  column('attempt', 'integer', ({ attempt }) => attempt),
  column('token', 'bigint', ({ token }) => token),
  column('at', 'bigint', ({ at }) => at),
  column('error', 'text', ({ error }) => error),
]);
const insertHistory = inserting<Workspace['history'][number]>('history', [
  column('execution', 'bigint', ({ execution }) => execution),
  column('sequence', 'bigint', ({ sequence }) => sequence),
  column('at', 'bigint', ({ at }) => at),
  column('kind', 'text', ({ kind }) => kind),
  column('revision', 'bigint', ({ revision }) => revision),
  column('version', 'text', ({ version }) => version),
  column('manager', 'text', ({ worker }) => worker.manager),
  column('manager_version', 'text', ({ worker }) => worker.version),
  column('delegate', 'text', ({ delegate }) => delegate?.delegate),
  column('delegate_version', 'text', ({ delegate }) => delegate?.version),
  column('event', 'bigint', ({ event }) => event),
  column('task', 'bigint', ({ task }) => task),
  column('token', 'bigint', ({ token }) => token),
  column('step', 'text', ({ step }) => step),
  column('detail', 'text', ({ detail }) => detail),
]);
const insertFinished = inserting<Workspace['newlyFinished'][number]>('finished_tasks', [
  column('task', 'bigint', ({ task }) => task),
  column('token', 'bigint', ({ token }) => token),
]);
const openVersions: readonly Column<ExecutionRecord>[] = [
  column('version', 'text', ({ version }) => version),
  column('execution', 'bigint', ({ id }) => id),
];
const INSERT_OPEN = `INSERT INTO open_executions (version, execution) SELECT v.version, v.execution
  FROM ${unnested(openVersions)} ON CONFLICT DO NOTHING`;
const DELETE_OPEN = `DELETE FROM open_executions o USING ${unnested(openVersions)}
  WHERE o.version = v.version AND o.execution = v.execution`;
const deleteEvents = deleting('events', 'id');
const deleteEventsOf = deleting('events', 'execution');
const deleteTasks = deleting('tasks', 'id');
const deleteLetters = deleting('dead_letters', 'id');
const deleteLettersOf = deleting('dead_letters', 'execution');

/** All that is to be written, in an order in which it can be. Empty: nothing was decided that changes anything. */
export function writesOf(workspace: Workspace): readonly Statement[] {
  const { executions, events, tasks, letters, ended, opened } = workspace;
  const statements: Statement[] = [];
  const write = <Item>(items: readonly Item[], statement: (items: readonly Item[]) => Statement): void => {
    if (items.length > 0) statements.push(statement(items));
  };
  const [stepped, told] = [[] as ExecutionRecord[], [] as ExecutionRecord[]];
  for (const record of executions.updated())
    (isOnlyTold(record, executions.before(record.id)) ? told : stepped).push(record);
  const endedIds = ended.map(({ id }) => id);
  write(endedIds, deleteEventsOf);
  write(endedIds, deleteLettersOf);
  write(ended, (items) => ({ text: DELETE_OPEN, values: valuesOf(openVersions, items) }));
  write(events.removed(), deleteEvents);
  write(letters.removed(), deleteLetters);
  write(tasks.removed(), deleteTasks);
  write(stepped, updateExecutions);
  write(told, updateTold);
  write(events.inserted(), insertEvents);
  write(events.updated(), updateEvents);
  write(tasks.inserted(), insertTasks);
  write(tasks.updated(), updateTasks);
  write(letters.inserted(), insertLetters);
  write(
    opened.filter(({ id }) => executions.get(id)?.state === 'Running'),
    (items) => ({ text: INSERT_OPEN, values: valuesOf(openVersions, items) }),
  );
  write(workspace.newlyFinished, insertFinished);
  write(workspace.history, insertHistory);
  return statements;
}

function isOnlyTold(record: ExecutionRecord, before: ExecutionRecord | undefined): boolean {
  return before !== undefined && record.revision === before.revision && record.state === before.state;
}
