/** Why a watcher is not served, as gRPC says it. */
import { Metadata, status } from '@grpc/grpc-js';
import type { Milliseconds } from '../model/instant.ts';
import { visible } from '../model/text.ts';
import { type WatcherRefusal, WatcherRefusedError } from '../ports/watchers.ts';
import { InvalidMessageError } from './parse.ts';

/** A status that ends a call, with its trailer. */
export interface Refusal {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

/** The longest text that ends a call, in characters: it travels in a header. */
const LONGEST_REASON = 1_024;

const CODES: Readonly<Record<WatcherRefusal, status>> = {
  UnknownService: status.NOT_FOUND,
  TooMany: status.RESOURCE_EXHAUSTED,
  OtherTenant: status.ALREADY_EXISTS,
};

export function refusal(code: status, details: string): Refusal {
  return { code, details: visible(details, LONGEST_REASON), metadata: new Metadata() };
}

/** Too many come at once: when to come back stands in the trailer. */
export function comeBack(after: Milliseconds): Refusal {
  const metadata = new Metadata();
  metadata.set('retry-after-ms', String(after));
  return {
    ...refusal(status.RESOURCE_EXHAUSTED, `too many watchers come at once; come back in ${after} ms`),
    metadata,
  };
}

/** What a fault of the watcher's means to it; undefined where the fault is ours. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof InvalidMessageError) return refusal(status.INVALID_ARGUMENT, error.message);
  if (error instanceof WatcherRefusedError) return refusal(CODES[error.refusal], error.message);
  return undefined;
}
