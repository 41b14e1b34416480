/** What is where in the controller's data folder. */
import { join } from 'node:path';

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
