/** What a test and the controller that kills itself tell each other, in two files beside the data folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the controller did, in its order. */
export type JournalLine =
  /** `number` counts from 1 within a run. */
  | { readonly kind: 'point'; readonly number: number; readonly what: string }
  | { readonly kind: 'table'; readonly text: string };

/** At which point of which run it is to die; point 0 never comes. */
export interface KillAt {
  readonly run: number;
  readonly point: number;
}

/** The file with a KillAt; while there is none, nothing is counted. */
export function killAtFile(folder: string): string {
  return join(folder, 'kill-at');
}

/** The present wish; undefined where there is none. */
export function readKillAt(folder: string): KillAt | undefined {
  try {
    return JSON.parse(readFileSync(killAtFile(folder), 'utf8')) as KillAt;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
