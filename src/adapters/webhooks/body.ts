/**
 * An event as it is posted to receivers, in the words of the log and the API. What was there before and after is not in
 * it: that may hold environments of processes, and receivers are other people's.
 */
import type { AuditEvent } from '../../model/audit.ts';

/** JSON text. */
export function notificationBody({
  sequence,
  at,
  actor,
  action,
  service,
  reason,
  message,
}: AuditEvent): string {
  return JSON.stringify({
    sequence,
    at: new Date(at).toISOString(),
    actor,
    action,
    ...(service !== undefined && { service }),
    reason,
    message,
  });
}
