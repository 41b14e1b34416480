/** Between the messages of a delegate's stream and the words of the workflow library. Throws ConnectError for what is wrong. */
import { fromJson, type JsonValue, toJson } from '@bufbuild/protobuf';
import { durationFromMs, ValueSchema } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import type {
  Hello,
  TaskLease as LeaseMessage,
  Result,
} from '../../../src/gen/examples/delegate/v1/delegate_pb.js';
import type { Json } from '../../../src/model/json.ts';
import { type TenantName, tenantName, type VersionName } from '../../../src/model/names.ts';
import {
  DELEGATE_ID_RULE,
  isDelegateId,
  type TaskId,
  type TaskOutcome,
} from '../../../src/model/workflow.ts';
import type { ClaimedTask, TaskLease } from '../../../src/ports/workflow-store.ts';
import type { Arrival } from '../../../src/workflow/runner/delegate-session.ts';
import { PROXIED_HEADER } from '../instance.ts';

const TAG_PATTERN = /^[\x21-\x7e]{1,128}$/;
const MOST_TAGS = 20;
const MOST_CAPACITY = 1_000;
const MOST_RUNNING = 2_000;
/** Each attempt's is kept in the history of its execution. */
const LONGEST_ERROR = 4_096;

/** Who says hello to a manager of a version; `headers` are those that its request was routed by. */
export function arrivalOf(
  hello: Hello,
  { version, headers }: { readonly version: VersionName; readonly headers: Headers },
): Arrival {
  const refuse: (message: string, code?: Code) => never = (message, code = Code.InvalidArgument) => {
    throw new ConnectError(message, code);
  };
  const { delegate } = hello;
  if (!isDelegateId(delegate)) {
    return refuse(`delegate must be ${DELEGATE_ID_RULE}, not ${JSON.stringify(delegate)}`);
  }
  if (hello.version !== version) {
    refuse(
      `this is a manager of ${version}, not of ${JSON.stringify(hello.version)}`,
      Code.FailedPrecondition,
    );
  }
  const routed = headers.get('x-tenant-id');
  if (routed === null && headers.has(PROXIED_HEADER)) refuse('x-tenant-id: the header must name the tenant');
  if (routed !== null && routed !== hello.tenant) {
    refuse(`tenant is ${JSON.stringify(hello.tenant)}, but x-tenant-id ${JSON.stringify(routed)}`);
  }
  if (hello.tags.length > MOST_TAGS || !hello.tags.every((tag) => TAG_PATTERN.test(tag))) {
    refuse(`tags must be at most ${MOST_TAGS}, each of 1 to 128 visible characters without spaces`);
  }
  if (hello.capacity > MOST_CAPACITY)
    refuse(`capacity must be at most ${MOST_CAPACITY}, not ${hello.capacity}`);
  return {
    worker: { delegate, version },
    tenant: parseTenant(hello.tenant),
    tags: hello.tags,
    capacity: hello.capacity,
    running: leasesOf(hello.running),
  };
}

function parseTenant(text: string): TenantName {
  try {
    return tenantName(text);
  } catch (error) {
    throw new ConnectError((error as Error).message, Code.InvalidArgument);
  }
}

export function leasesOf(leases: readonly LeaseMessage[]): TaskLease[] {
  if (leases.length > MOST_RUNNING) {
    throw new ConnectError(`running must name at most ${MOST_RUNNING} tasks`, Code.InvalidArgument);
  }
  return leases.map(leaseOf);
}

export function leaseOf(lease: LeaseMessage | undefined): TaskLease {
  const token = Number(lease?.token ?? 0n);
  if (lease === undefined || lease.task === '' || !Number.isSafeInteger(token)) {
    throw new ConnectError('lease must name a task and its token', Code.InvalidArgument);
  }
  return { task: lease.task as TaskId, token };
}

export function leaseMessage({ task, token }: TaskLease) {
  return { task, token: BigInt(token) };
}

export function assignment({ task, lease }: ClaimedTask) {
  return {
    lease: leaseMessage({ task: task.id, token: lease.token }),
    execution: task.execution,
    key: task.key,
    kind: task.kind,
    payload: fromJson(ValueSchema, task.payload as JsonValue),
    timeout: durationFromMs(task.timeout),
    attempt: task.attempt,
  };
}

export function outcomeOf({ outcome }: Result): TaskOutcome {
  if (outcome.case === 'succeeded') {
    return { kind: 'Succeeded', result: toJson(ValueSchema, outcome.value) as Json };
  }
  if (outcome.case === 'failed') {
    const { error, retryable } = outcome.value;
    return { kind: 'Failed', error: error.slice(0, LONGEST_ERROR), retryable };
  }
  throw new ConnectError('a result must have an outcome', Code.InvalidArgument);
}

/** Tasks that it takes at a time; one that says more is taken at the most. */
export function capacityOf({ capacity }: { readonly capacity: number }): number {
  return Math.min(capacity, MOST_CAPACITY);
}
