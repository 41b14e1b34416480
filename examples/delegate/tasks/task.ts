/** What the kinds of tasks have in common. */
import type { Json } from '../../../src/model/json.ts';
import type { TaskOutcome } from '../../../src/model/workflow.ts';

/** What a task is given to run with. */
export interface TaskRun {
  readonly payload: Json;
  /** Milliseconds; 0: no limit. */
  readonly timeout: number;
  /** Aborted when the manager wants it no more: then no outcome counts. */
  readonly signal: AbortSignal;
  /** Its own folder, empty at first. */
  readonly folder: string;
  /** Names its processes on this machine. */
  readonly family: string;
  readonly onOutput: (data: Buffer) => void;
  readonly onProgress: (percent: number, note: string) => void;
}

/** Runs one task to its end. Resolves also where it fails; what it throws is a fault of the delegate. */
export type TaskKind = (run: TaskRun) => Promise<TaskOutcome>;

/** A failure of what the author wrote: the delegate would do the same again. */
export function failed(error: string): TaskOutcome {
  return { kind: 'Failed', error, retryable: false };
}

/** The payload's fields. Throws TypeError that says what is wrong. */
export class Fields {
  readonly #fields: { readonly [name: string]: Json };

  constructor(payload: Json) {
    if (payload === null || typeof payload !== 'object' || Array.isArray(payload)) {
      throw new TypeError('the payload must be an object');
    }
    this.#fields = payload as { readonly [name: string]: Json };
  }

  get(name: string): Json | undefined {
    return this.#fields[name];
  }

  /** Empty where it is absent. */
  text(name: string): string {
    const value = this.#fields[name] ?? '';
    if (typeof value === 'string') return value;
    throw new TypeError(`${name} must be text, not ${JSON.stringify(value)}`);
  }

  /** Empty where it is absent. */
  texts(name: string): Record<string, string> {
    const value = this.#fields[name] ?? {};
    if (typeof value !== 'object' || Array.isArray(value)) throw new TypeError(`${name} must be an object`);
    for (const [key, each] of Object.entries(value)) {
      if (typeof each !== 'string')
        throw new TypeError(`${name}.${key} must be text, not ${JSON.stringify(each)}`);
    }
    return value as Record<string, string>;
  }

  /** Empty where it is absent. */
  numbers(name: string): readonly number[] {
    const value = this.#fields[name] ?? [];
    if (Array.isArray(value) && value.every((each) => typeof each === 'number')) return value;
    throw new TypeError(`${name} must be a list of numbers, not ${JSON.stringify(value)}`);
  }
}
