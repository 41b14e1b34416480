/**
 * What a restore notes in the copy before it takes its place: goal states that were given since the backup are not in it,
 * and their numbers must not be given again.
 */
import { NO_DELEGATES, noteRestored } from '../../goalstate/generation.ts';
import type { Instant } from '../../model/instant.ts';
import { storedService } from '../stored/records.ts';
import { type OpenFile, Rows } from './rows.ts';

/** Marks each service that has delegates. What a newer release keeps beside is left as it is. */
export function markRestored(copy: OpenFile, now: Instant): void {
  const rows = new Rows(copy);
  rows.writing((writer) => {
    for (const { key, body } of rows.select('SELECT key, body FROM service')) {
      const { delegates, artifacts = [] } = rows.parse(storedService, `service ${JSON.stringify(key)}`, body);
      if (delegates === undefined && artifacts.length === 0) continue;
      const kept = JSON.parse(String(body)) as { readonly delegates?: object };
      const { foreign } = noteRestored(delegates ?? NO_DELEGATES, now);
      const marked = { ...kept, delegates: { ...(kept.delegates ?? NO_DELEGATES), foreign } };
      writer.replace('service', { key: String(key), body: JSON.stringify(marked) });
    }
  });
}
