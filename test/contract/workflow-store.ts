/**
 * What every workflow store must do, whatever it writes to. One suite for all engines, so that a manager need not know
 * which one it has. It opens several clients of one database, as managers in several processes would.
 */

import { clientsContract } from './workflow-store/clients.ts';
import { drainsContract } from './workflow-store/drains.ts';
import { eventLeasesContract } from './workflow-store/event-leases.ts';
import { eventOrderContract } from './workflow-store/event-order.ts';
import { eventTimesContract } from './workflow-store/event-times.ts';
import { executionsContract } from './workflow-store/executions.ts';
import { readingContract } from './workflow-store/reading.ts';
import { startsContract } from './workflow-store/starts.ts';
import { taskLeasesContract } from './workflow-store/task-leases.ts';
import { taskResultsContract } from './workflow-store/task-results.ts';
import { versionsContract } from './workflow-store/versions.ts';
import type { MakeWorkflowDatabase } from './workflow-store/world.ts';

export type { MakeWorkflowDatabase } from './workflow-store/world.ts';

/** Runs the suite over one adapter. */
export function workflowStoreContract(adapter: string, makeDatabase: MakeWorkflowDatabase): void {
  executionsContract(adapter, makeDatabase);
  startsContract(adapter, makeDatabase);
  readingContract(adapter, makeDatabase);
  eventLeasesContract(adapter, makeDatabase);
  eventTimesContract(adapter, makeDatabase);
  eventOrderContract(adapter, makeDatabase);
  taskLeasesContract(adapter, makeDatabase);
  taskResultsContract(adapter, makeDatabase);
  versionsContract(adapter, makeDatabase);
  drainsContract(adapter, makeDatabase);
  clientsContract(adapter, makeDatabase);
}
