/**
 * The thread that reads and writes a workflow file. Calls that have come while it was busy are done together: one
 * transaction, one wait for the disk. Each is answered when that is on the disk.
 */
import type { DatabaseSync } from 'node:sqlite';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { Answer } from '../store-thread.ts';
import { WorkflowContent } from './content.ts';
import { type PlainWorkflowError, toPlainWorkflow } from './errors.ts';
import { openWorkflowDatabase, verifyForm } from './open.ts';
import type { Call, Handlers, OperationCall, WorkerSettings } from './protocol.ts';
import { transaction } from './transactions.ts';

/** How many calls share a transaction: no other process writes while it lasts. */
const LARGEST_GROUP = 64;
/** How often it looks whether other processes have written. */
const WATCH_INTERVAL_MILLISECONDS = 20;

const READS: ReadonlySet<Call['name']> = new Set<keyof Handlers>([
  'now',
  'compatibleVersions',
  'execution',
  'executions',
  'history',
  'openTasks',
  'deadLetters',
  'fencedSince',
  'count',
  'oldestOpen',
  'delegates',
]);

const settings = workerData as WorkerSettings;
if (parentPort === null) throw new Error('this file runs as a worker thread only');
const port = parentPort;

interface Opened {
  readonly database: DatabaseSync;
  readonly content: WorkflowContent;
  /** SQLite's counter of changes to the form of the file, when it was last looked at. */
  schema: unknown;
}
let opened: Opened | undefined;
let watching: NodeJS.Timeout | undefined;

port.on('message', (first: Call) => {
  let group: OperationCall[] = [];
  for (let call: Call | undefined = first; call !== undefined; call = next()) {
    if (call.name === 'open' || call.name === 'close' || call.name === 'watch') {
      answerGroup(group);
      group = [];
      answer(attempted(call));
      if (call.name === 'close') return port.close();
    } else {
      group.push(call);
      if (group.length === LARGEST_GROUP) {
        answerGroup(group);
        group = [];
      }
    }
  }
  answerGroup(group);
});

function next(): Call | undefined {
  const received: { readonly message: Call } | undefined = receiveMessageOnPort(port);
  return received?.message;
}

/** Together first; where one of them fails, nothing of all that is left, and each is done alone. */
function answerGroup(group: readonly OperationCall[]): void {
  if (group.length === 0) return;
  let answers: readonly Answer<PlainWorkflowError>[];
  try {
    answers = together(group).map((result) => ({ kind: 'result', result }));
  } catch (error) {
    answers =
      group.length === 1
        ? [{ kind: 'error', error: toPlainWorkflow(error, settings.file) }]
        : group.map((call) => attemptedAlone(call));
  }
  for (const each of answers) answer(each);
  if (opened?.content.takeDue() === true && watching !== undefined) answer({ kind: 'changed' });
}

function attemptedAlone(call: OperationCall): Answer<PlainWorkflowError> {
  try {
    return { kind: 'result', result: together([call])[0] };
  } catch (error) {
    return { kind: 'error', error: toPlainWorkflow(error, settings.file) };
  }
}

function together(group: readonly OperationCall[]): readonly unknown[] {
  if (opened === undefined) throw new Error('the store is closed');
  const { database, content } = opened;
  const kind = group.every(({ name }) => READS.has(name)) ? 'reading' : 'writing';
  return transaction(database, kind, () => {
    verifyStillUsable();
    return group.map((call) => handle(content.handlers, call));
  });
}

/** A newer release may have changed the form of the file since it was opened. */
function verifyStillUsable(): void {
  if (opened === undefined) return;
  const schema = opened.database.prepare('PRAGMA schema_version').get()?.['schema_version'];
  if (schema === opened.schema) return;
  verifyForm(opened.database, settings);
  opened.schema = schema;
}

function handle(handlers: Handlers, call: OperationCall): unknown {
  const handler = handlers[call.name] as (...argument: readonly unknown[]) => unknown;
  return handler(...(call.argument as readonly unknown[]));
}

function attempted(call: Exclude<Call, OperationCall>): Answer<PlainWorkflowError> {
  try {
    control(call);
    return { kind: 'result', result: undefined };
  } catch (error) {
    return { kind: 'error', error: toPlainWorkflow(error, settings.file) };
  }
}

function control(call: Exclude<Call, OperationCall>): void {
  switch (call.name) {
    case 'open': {
      const database = openWorkflowDatabase(settings);
      opened = { database, content: new WorkflowContent(database), schema: undefined };
      return;
    }
    case 'watch':
      clearInterval(watching);
      watching = call.argument ? watch() : undefined;
      return;
    case 'close':
      clearInterval(watching);
      opened?.database.close();
      opened = undefined;
  }
}

/** SQLite counts the commits of others as `data_version`; reading it costs microseconds. */
function watch(): NodeJS.Timeout | undefined {
  if (opened === undefined) return undefined;
  const statement = opened.database.prepare('PRAGMA data_version');
  let last: unknown;
  return setInterval(() => {
    let current: unknown;
    try {
      current = statement.get()?.['data_version'];
    } catch {
      // What is wrong with the file is told to whoever calls next. Until then, something may have changed.
    }
    if (current === last) return;
    last = current;
    answer({ kind: 'changed' });
  }, WATCH_INTERVAL_MILLISECONDS);
}

function answer(message: Answer<PlainWorkflowError>): void {
  port.postMessage(message);
}
