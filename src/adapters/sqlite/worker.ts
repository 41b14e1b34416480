/**
 * The thread that owns the state file: SQLite's calls block, and a disk may take its time, so they block here and not
 * where requests are served. It answers each call once; a commit's answer is sent when the commit is on the disk.
 */

import type { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { Answer } from '../store-thread.ts';
import { StoreContent } from './content.ts';
import { backupTo } from './copy.ts';
import { type PlainError, toPlain } from './errors.ts';
import { openDatabase, refusing } from './open.ts';
import type { Call, WorkerSettings } from './protocol.ts';

/** Commits that come closely one after the other share one checkpoint. */
const CHECKPOINT_DELAY_MILLISECONDS = 50;

const settings = workerData as WorkerSettings;
let opened: { database: DatabaseSync; content: StoreContent } | undefined;
let checkpoint: NodeJS.Timeout | undefined;

function answer(call: Call): unknown {
  if (call.name === 'open') {
    const database = openDatabase(settings);
    opened = { database, content: new StoreContent({ database, ...settings }) };
    return undefined;
  }
  if (opened === undefined) throw new Error('the store is closed');
  const { database, content } = opened;
  switch (call.name) {
    case 'load':
      return content.load();
    case 'events':
      return content.events(call.argument);
    case 'commit':
      checkpointLater();
      return content.commit(call.argument);
    case 'saveProxies':
      checkpointLater();
      return content.saveProxies(call.argument);
    case 'watchers':
      return content.watchers();
    case 'saveWatchers':
      checkpointLater();
      return content.saveWatchers(call.argument);
    case 'rollouts':
      return content.history.rollouts(call.argument);
    case 'roll':
      return content.history.roll(call.argument);
    case 'appendMeasurements':
      checkpointLater();
      return content.history.append(call.argument);
    case 'measurements':
      return content.history.measurements(call.argument);
    case 'saveTraffic':
      checkpointLater();
      return content.history.saveTraffic(call.argument);
    case 'traffic':
      return content.history.traffic(call.argument);
    case 'saveCoverage':
      checkpointLater();
      return content.history.saveCoverage(call.argument);
    case 'coverage':
      return content.history.coverage(call.argument);
    case 'backup':
      return refusing(call.argument, () => backupTo({ database, target: call.argument }));
    case 'close':
      clearTimeout(checkpoint);
      opened = undefined;
      return database.close();
  }
}

/** A commit is durable without it. Where it fails (a full disk), the log keeps the content until the next commit. */
function checkpointLater(): void {
  checkpoint ??= setTimeout(() => {
    checkpoint = undefined;
    try {
      opened?.content.checkpoint();
    } catch {
      // Nothing is lost and nobody waits for it; a commit that cannot be written says so itself.
    }
  }, CHECKPOINT_DELAY_MILLISECONDS);
}

function answerOf(call: Call): Answer<PlainError> {
  try {
    return { kind: 'result', result: answer(call) };
  } catch (error) {
    return { kind: 'error', error: toPlain(error) };
  }
}

const port = parentPort;
if (port === null) throw new Error('this file runs as a worker thread only');
port.on('message', (call: Call) => {
  port.postMessage(answerOf(call));
  if (call.name === 'close') port.close();
});
