/**
 * What is kept on disk of one instance, so that the next controller finds its process and supervises it as this one
 * did. The text of a file enters, a checked record leaves.
 */
import { type Instant, instant } from '../../model/instant.ts';
import { type ServiceName, serviceName, type VersionName, versionName } from '../../model/names.ts';
import type { ProcessesRuntimeSpec } from '../../model/spec.ts';
import type { ProcessIdentity } from './identity.ts';

/** One instance. It keeps its id over restarts of its process. */
export interface InstanceRecord {
  readonly id: string;
  readonly service: ServiceName;
  readonly version: VersionName;
  /** Its number within the version, from 1. */
  readonly slot: number;
  /** 0 until it was given one. */
  readonly port: number;
  /** Its command, folder and environment are those that the version began with; the rest is as last wished. */
  readonly spec: ProcessesRuntimeSpec;
  readonly restarts: number;
  /** Ends in a row without a stable time between them. */
  readonly failures: number;
  readonly process: RecordedProcess;
  /** It was ready when last probed. */
  readonly wasReady: boolean;
  /** Its process was ready at some time, so that it may have work. */
  readonly hadWork?: boolean;
  /** When it ended lately, where that is limited. */
  readonly ends?: readonly Instant[];
  /** It ended too often, for which this is the reason: it is not started again. */
  readonly givenUp?: string;
  /** Since when it is being stopped; there is no way back. */
  readonly stopSince?: Instant;
}

/**
 * `Intended` is written before a start: should we die before `Running` is written, the process is found by the
 * instance's id in its environment.
 */
export type RecordedProcess =
  | { readonly kind: 'None' }
  | { readonly kind: 'Intended' }
  | { readonly kind: 'Running'; readonly identity: ProcessIdentity; readonly startedAt: Instant };

const FORMAT = 1;

export function printRecord(record: InstanceRecord): string {
  return `${JSON.stringify({ format: FORMAT, ...record }, undefined, 2)}\n`;
}

/** Throws Error where the text is not a record that this release understands. */
export function parseRecord(text: string): InstanceRecord {
  const { format, ...read } = JSON.parse(text) as { format: unknown } & InstanceRecord;
  if (format !== FORMAT) throw new Error(`format must be ${FORMAT}, not ${JSON.stringify(format)}`);
  expectText('id', read.id);
  expectWhole('slot', read.slot);
  expectWhole('port', read.port);
  expectWhole('restarts', read.restarts);
  expectWhole('failures', read.failures);
  if (read.spec?.kind !== 'processes') throw new Error('spec.kind must be "processes"');
  if (read.process.kind === 'Running') {
    expectWhole('process.identity.pid', read.process.identity.pid);
    expectWhole('process.identity.startTime', read.process.identity.startTime);
    expectText('process.identity.bootId', read.process.identity.bootId);
    instant(read.process.startedAt);
  } else if (read.process.kind !== 'None' && read.process.kind !== 'Intended') {
    throw new Error(`process.kind must be None, Intended or Running, not ${JSON.stringify(read.process)}`);
  }
  if (read.stopSince !== undefined) instant(read.stopSince);
  for (const end of read.ends ?? []) instant(end);
  return { ...read, service: serviceName(read.service), version: versionName(read.version) };
}

function expectText(field: string, value: unknown): void {
  if (typeof value !== 'string' || value === '')
    throw new Error(`${field} must be a text, not ${JSON.stringify(value)}`);
}

function expectWhole(field: string, value: unknown): void {
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    throw new Error(`${field} must be a whole number, not ${JSON.stringify(value)}`);
  }
}
