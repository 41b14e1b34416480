/** What a delay or a lease has ended for: it is due, or, where its attempts are used up, given up. */
import type { VersionName } from '../../model/names.ts';
import type { Worker } from '../../model/workflow.ts';
import { MAX_EVENT_ATTEMPTS } from '../../ports/workflow-store.ts';
import { giveUp } from './events.ts';
import type { Scope } from './scope.ts';
import { failTask } from './tasks.ts';

/** How many become due in one call, of each kind; the next call goes on. */
const LARGEST_BATCH = 500;

/** Makes due what has waited until now, of a version. The worker is the one who found it. */
export function wake(scope: Scope, version: VersionName, worker: Worker): void {
  const { sql, now } = scope;
  for (const task of sql.rows(
    'SELECT * FROM task WHERE version = ? AND wake_at <= ? LIMIT ?',
    version,
    now,
    LARGEST_BATCH,
  )) {
    const isUsedUp = task['leased'] === 1 && Number(task['attempt']) >= Number(task['max_attempts']);
    if (isUsedUp) failTask(scope, task, worker);
    else sql.run('UPDATE task SET ready = 1, wake_at = NULL WHERE key = ?', task['key'] ?? null);
  }
  for (const event of sql.rows(
    'SELECT * FROM event WHERE version = ? AND wake_at <= ? LIMIT ?',
    version,
    now,
    LARGEST_BATCH,
  )) {
    const isUsedUp = event['leased'] === 1 && Number(event['attempt']) >= MAX_EVENT_ATTEMPTS;
    if (isUsedUp)
      giveUp(scope, event, {
        error: `its lease ran out ${MAX_EVENT_ATTEMPTS} times: whoever had it died or was too slow`,
        worker,
      });
    else sql.run('UPDATE event SET ready = 1, wake_at = NULL WHERE key = ?', event['key'] ?? null);
  }
}
