/** What an instance says of the delegates: a page enters, checked registrations leave. */
import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import type { DelegateRegistration as RegistrationMessage } from '../../gen/switchyard/work/v1/workflow_pb.js';
import { type Instant, instant } from '../../model/instant.ts';
import { tenantName, versionName } from '../../model/names.ts';
import { excerpt } from '../../model/text.ts';
import type { DelegateId, DelegateRegistration, ManagerId } from '../../model/workflow.ts';

const LONGEST_ID = 256;

/** Reads a registration. Throws an error that names the delegate and the field that is wrong. */
export function readRegistration(message: RegistrationMessage): DelegateRegistration {
  try {
    return {
      delegate: idOf('delegate', message.delegate) as DelegateId,
      tenant: tenantName(message.tenant),
      version: versionName(message.version),
      tags: message.tags,
      capacity: message.capacity,
      running: message.running,
      manager: idOf('manager', message.manager) as ManagerId,
      since: timeOf('since', message.since),
      lastSeen: timeOf('last_seen', message.lastSeen),
    };
  } catch (error) {
    const who =
      message.delegate === '' ? 'a delegate without a name' : `delegate ${excerpt(message.delegate)}`;
    throw new Error(`${who}: ${(error as Error).message}`, { cause: error });
  }
}

/** A time that must be there. Throws an error that names the field. */
export function timeOf(field: string, time: Timestamp | undefined): Instant {
  if (time === undefined) throw new Error(`${field} is absent where a time belongs`);
  return instant(timestampMs(time));
}

function idOf(field: string, id: string): string {
  if (id === '' || id.length > LONGEST_ID)
    throw new Error(`${field} has ${id.length} characters; 1 to ${LONGEST_ID} are right`);
  return id;
}
