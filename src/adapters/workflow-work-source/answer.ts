/** What an instance says of a version's open work in the store that all instances share: a message enters, checked facts leave. */
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { VersionWork as VersionWorkMessage } from '../../gen/switchyard/work/v1/workflow_pb.js';
import type { Instance } from '../../model/instance.ts';
import { instant } from '../../model/instant.ts';
import type { VersionName } from '../../model/names.ts';
import { openWork, type WorkSplit } from '../../model/workflow.ts';
import type { CountedWork } from '../../ports/work-source.ts';

/** Refuses an answer about another version than was asked for. Throws an error that names both. */
export function requireVersion(answered: string, asked: VersionName): void {
  if (answered !== asked) {
    throw new Error(`it answered for ${answered === '' ? 'no version' : answered}, not for ${asked}`);
  }
}

/**
 * Reads an answer. It is atomic where the version was fenced in the same transaction. Throws an error that names the
 * field that is wrong.
 */
export function readWork(
  work: VersionWorkMessage | undefined,
  asked: VersionName,
  { id }: Instance,
): CountedWork {
  if (work === undefined) throw new Error('work is absent');
  requireVersion(work.version, asked);
  if (work.asOf === undefined) throw new Error('as_of is absent where a time belongs');
  const split = splitOf(work);
  return {
    kind: 'counted',
    asOf: instant(timestampMs(work.asOf)),
    total: openWork(split),
    open: work.open.map(({ kind, id: piece, since }) => ({
      kind,
      id: piece,
      instance: id,
      ...(since !== undefined && { since: instant(timestampMs(since)) }),
    })),
    certificate: work.fencedSince === undefined ? 'observed' : 'atomic',
    split,
  };
}

function splitOf(work: VersionWorkMessage): WorkSplit {
  return {
    executions: number('executions', work.executions),
    events: {
      queued: number('events_queued', work.eventsQueued),
      leased: number('events_leased', work.eventsLeased),
      delayed: number('events_delayed', work.eventsDelayed),
    },
    tasks: {
      queued: number('tasks_queued', work.tasksQueued),
      leased: number('tasks_leased', work.tasksLeased),
      delayed: number('tasks_delayed', work.tasksDelayed),
    },
    deadLetters: number('dead_letters', work.deadLetters),
  };
}

/** No store holds more; a sum of such numbers is still exact. */
const MOST = 2n ** 48n;

function number(field: string, value: bigint): number {
  if (value > MOST) throw new Error(`${field} is ${value}, which cannot be right`);
  return Number(value);
}
