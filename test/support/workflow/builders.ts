// Executions, steps and workers for tests, with everything filled in that a test does not care about.
import type { Json } from '../../../src/model/json.ts';
import { tenantName, type VersionName, versionName } from '../../../src/model/names.ts';
import type { NewEvent, NewTask, Step } from '../../../src/model/step.ts';
import {
  DEFAULT_PRIORITY,
  type DelegateId,
  type DelegateWorker,
  type ManagerId,
  type Worker,
} from '../../../src/model/workflow.ts';
import type { DelegateSlots, NewExecution } from '../../../src/ports/workflow-store.ts';

export const V1 = versionName('v1');
export const V2 = versionName('v2');
export const ACME = tenantName('acme');

export function worker(version: VersionName = V1, manager = `manager-${version}`): Worker {
  return { manager: manager as ManagerId, version };
}

export function delegateWorker(name = 'box-1', version: VersionName = V1): DelegateWorker {
  return { delegate: name as DelegateId, version };
}

/** An execution of tenant acme on v1. */
export function newExecution(wanted: Partial<NewExecution> = {}): NewExecution & { readonly worker: Worker } {
  return {
    tenant: ACME,
    version: V1,
    machine: 'counter',
    name: 'nightly',
    priority: DEFAULT_PRIORITY,
    data: { count: 0 },
    input: { begin: true },
    worker: worker(wanted.version),
    ...wanted,
  };
}

/** A step that changes nothing but what is given. */
export function step(wanted: Partial<Step> = {}): Step {
  return {
    data: { count: 0 },
    events: [],
    tasks: [],
    cancelTasks: [],
    cancelEvents: [],
    notes: [],
    ...wanted,
  };
}

export function newEvent(kind: string, wanted: Partial<NewEvent> = {}): NewEvent {
  return { kind, payload: null, ...wanted };
}

export function newTask(key: string, wanted: Partial<NewTask> = {}): NewTask {
  return { key, kind: 'shell', payload: null, tags: [], timeout: 60_000, maxAttempts: 3, ...wanted };
}

/** A step that ends the execution well. */
export function ending(result: Json = null): Step {
  return step({ end: { state: 'Succeeded', result, error: '' } });
}

/** Places on one delegate of tenant acme and version v1. */
export function slots(
  wanted: Partial<Omit<DelegateSlots, 'worker'>> & {
    readonly delegate?: string;
    readonly version?: VersionName;
  } = {},
): DelegateSlots {
  const { delegate, version = V1, ...rest } = wanted;
  return {
    worker: delegateWorker(delegate, version),
    tenant: ACME,
    versions: [version],
    tags: [],
    free: 100,
    ...rest,
  };
}
