/** Between the delegate's own words and the messages of its stream. */
import { create, fromJson, type JsonValue, toJson } from '@bufbuild/protobuf';
import { type Duration, durationMs, type Value, ValueSchema } from '@bufbuild/protobuf/wkt';
import {
  type Result,
  ResultSchema,
  type TaskLease,
  TaskLeaseSchema,
} from '../../src/gen/examples/delegate/v1/delegate_pb.js';
import type { Json } from '../../src/model/json.ts';
import type { TaskOutcome } from '../../src/model/workflow.ts';
import type { Lease } from './journal.ts';

export function leaseOf({ task, token }: Lease): TaskLease {
  return create(TaskLeaseSchema, { task, token });
}

/** Milliseconds; 0 where nothing is said. */
export function durationOf(duration: Duration | undefined): number {
  return duration === undefined ? 0 : durationMs(duration);
}

/** Null where nothing is said. */
export function valueOf(value: Value | undefined): Json {
  return value === undefined ? null : (toJson(ValueSchema, value) as Json);
}

export function outcomeMessage(lease: Lease, outcome: TaskOutcome): Result {
  return create(ResultSchema, {
    lease: leaseOf(lease),
    outcome:
      outcome.kind === 'Succeeded'
        ? { case: 'succeeded', value: fromJson(ValueSchema, outcome.result as JsonValue) }
        : { case: 'failed', value: { error: outcome.error, retryable: outcome.retryable } },
  });
}
