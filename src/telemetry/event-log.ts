/**
 * One line of the log for each event of the audit trail. What was there before and after is not in it: that may hold
 * environments of processes.
 */
import type { Logger } from 'pino';
import type { AuditEvent } from '../model/audit.ts';

/** Makes the listener to hand to the ledger. */
export function eventLog(log: Logger): (events: readonly AuditEvent[]) => void {
  return (events) => {
    for (const { sequence, service, actor, action, message } of events) {
      log.info({ sequence, ...(service !== undefined && { service }), actor, action }, message);
    }
  };
}
