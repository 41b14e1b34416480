/**
 * Messages of the admin API as requests of operations. Each function checks one thing and names the field, the value
 * and what would be right; what is checked here is only what no operation could even be asked.
 */
import { type Duration, durationMs } from '@bufbuild/protobuf/wkt';
import type { Change } from '../gen/switchyard/admin/v1/changes_pb.js';
import type { Milliseconds } from '../model/instant.ts';
import { InvalidNameError, type ServiceName, serviceName } from '../model/names.ts';
import { type Caller, type ChangeRequest, OperationError } from '../operations/types.ts';

/** Longest actor and reason, in characters; both are kept in the audit trail for ever. */
const ACTOR_LENGTH = 256;
const REASON_LENGTH = 2000;
/** How long a change waits for the proxies where the caller does not say. */
const DEFAULT_WAIT: Milliseconds = 30_000;
const LONGEST_WAIT: Milliseconds = 24 * 3_600_000;

/** A refusal that names the field. */
export function invalid(field: string, message: string): OperationError {
  return new OperationError('InvalidArgument', `${field}: ${message}`);
}

/** Runs one of the parsers of model/names.ts on a field. */
export function named<Name>(field: string, text: string, parse: (text: string) => Name): Name {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof InvalidNameError) throw invalid(field, error.message);
    throw error;
  }
}

/** The service that a query is limited to; empty text: all. */
export function optionalService(field: string, text: string): ServiceName | undefined {
  return text === '' ? undefined : named(field, text, serviceName);
}

/** Numbers of the API are 64 bits wide, ours are exact up to 2^53. */
export function exact(field: string, value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER))
    throw invalid(field, `${value} is above ${Number.MAX_SAFE_INTEGER}`);
  return Number(value);
}

export function callerOf(fields: { actor: string; reason: string; prefix: string }): Caller {
  const { actor, reason, prefix } = fields;
  if (actor === '') throw invalid(`${prefix}actor`, 'is empty; say who asks, for the audit trail');
  requireLine(`${prefix}actor`, actor, ACTOR_LENGTH);
  requireLine(`${prefix}reason`, reason, REASON_LENGTH);
  return { actor, reason };
}

/** Unicode's control characters, line breaks among them. */
const CONTROL = /\p{Cc}/u;

function requireLine(field: string, text: string, longest: number): void {
  if (text.length > longest)
    throw invalid(field, `has ${text.length} characters; at most ${longest} are kept`);
  if (CONTROL.test(text))
    throw invalid(field, `${JSON.stringify(text)} must be one line without control characters`);
}

/** What every change carries, without the wait. */
export function changeOf(change: Change | undefined): ChangeRequest {
  if (change === undefined) throw invalid('change', 'is missing; it names the service and the actor');
  return {
    caller: callerOf({ actor: change.actor, reason: change.reason, prefix: 'change.' }),
    service: named('change.service', change.service, serviceName),
    ...(change.expectedGeneration !== undefined && {
      expectedGeneration: exact('change.expected_generation', change.expectedGeneration),
    }),
    dryRun: change.dryRun,
  };
}

const DEFAULT_LIMIT = 100;
const MOST_LISTED = 1000;

/** How many entries a list may have; 0: the caller did not say. */
export function limitOf(limit: number): number {
  if (limit > MOST_LISTED) throw invalid('limit', `${limit} is above ${MOST_LISTED}`);
  return limit || DEFAULT_LIMIT;
}

/** How long the caller lets a change wait for the proxies. */
export function waitOf(field: string, wait: Duration | undefined): Milliseconds {
  const asked = wait === undefined ? DEFAULT_WAIT : lengthOf(field, wait);
  if (asked > LONGEST_WAIT) throw invalid(field, `${asked} ms is above a day (${LONGEST_WAIT} ms)`);
  return asked;
}

/** A length of time that is not negative. */
export function lengthOf(field: string, duration: Duration): Milliseconds {
  const length = durationMs(duration);
  if (!Number.isFinite(length) || length < 0)
    throw invalid(field, `${length} ms is not a length of time; it must be 0 or more`);
  return length;
}
