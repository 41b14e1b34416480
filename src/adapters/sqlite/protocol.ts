/** What the main thread and the store's worker say to each other: one answer for each call, in the order of the calls. */
import type { AuditEvent } from '../../model/audit.ts';
import type { Commit, EventQuery, ProxySeen, StoredState } from '../../ports/store.ts';
import type { PlainError } from './errors.ts';
import type { Migration } from './migrations.ts';

/** What the worker is started with. */
export interface WorkerSettings {
  readonly file: string;
  readonly eventsKept: number;
  readonly migrations: readonly Migration[];
}

/** The argument and result of each call. */
export interface Calls {
  open: { argument: undefined; result: undefined };
  load: { argument: undefined; result: StoredState };
  commit: { argument: Commit; result: readonly AuditEvent[] };
  saveProxies: { argument: readonly ProxySeen[]; result: undefined };
  events: { argument: EventQuery; result: readonly AuditEvent[] };
  backup: { argument: string; result: undefined };
  close: { argument: undefined; result: undefined };
}

/** One call. */
export type Call = {
  [Name in keyof Calls]: { readonly name: Name; readonly argument: Calls[Name]['argument'] };
}[keyof Calls];

/** Its answer. */
export type Answer =
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'error'; readonly error: PlainError };
