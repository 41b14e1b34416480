/** What is where in the controller's data folder. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Makes the folder and those above it, for this user only. Throws the file system's error. One by one, since Node's own
 * recursion never ends where a parent exists and takes no folder (such as /proc).
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

/** The SQLite file with the recorded state. */
export function stateFile(dataDir: string): string {
  return join(dataDir, 'state.db');
}

/** Records and logs of the processes that Switchyard runs. */
export function processesFolder(dataDir: string): string {
  return join(dataDir, 'processes');
}

/** Last good copies of watched endpoint files. */
export function endpointsFolder(dataDir: string): string {
  return join(dataDir, 'endpoints');
}
