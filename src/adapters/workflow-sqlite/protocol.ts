/** What the main thread and the worker of a workflow file say to each other. */
import type { WorkflowStore } from '../../ports/workflow-store.ts';
import type { Migration } from '../sqlite/migrations.ts';
import type { CallOf } from '../store-thread.ts';

/** What the worker is started with. */
export interface WorkerSettings {
  readonly file: string;
  readonly migrations: readonly Migration[];
}

/** The calls of the port that the worker answers. */
export type Operations = Omit<WorkflowStore, 'subscribe' | 'close'>;

export type Calls = {
  readonly [Name in keyof Operations]: {
    readonly argument: Parameters<Operations[Name]>;
    readonly result: Awaited<ReturnType<Operations[Name]>>;
  };
} & {
  readonly open: { readonly argument: undefined; readonly result: undefined };
  /** Whether it says what others have changed. */
  readonly watch: { readonly argument: boolean; readonly result: undefined };
  readonly close: { readonly argument: undefined; readonly result: undefined };
};

export type Call = CallOf<Calls>;

/** A call of the port. */
export type OperationCall = Extract<Call, { readonly name: keyof Operations }>;

/** The answers to all operations, given within a transaction. */
export type Handlers = {
  readonly [Name in keyof Operations]: (...argument: Calls[Name]['argument']) => Calls[Name]['result'];
};
