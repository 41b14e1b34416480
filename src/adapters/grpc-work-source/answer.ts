/** What an instance says of its open work over gRPC: a message enters, checked facts leave. */
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { CountResponse } from '../../gen/switchyard/work/v1/work_pb.js';
import type { Instance } from '../../model/instance.ts';
import { instant } from '../../model/instant.ts';
import type { InstanceWork } from '../work-rounds.ts';

/** Refuses the answer of an instance of another version. Throws an error that names both. */
export function requireVersion(answered: string, { version }: Instance): void {
  if (answered !== version) {
    const shown = answered === '' ? 'no version' : `version ${answered}`;
    throw new Error(`its address is answered by ${shown}, not ${version}`);
  }
}

/** Reads an answer. Throws an error that names the field that is wrong. */
export function readCount({ version, asOf, total, open }: CountResponse, instance: Instance): InstanceWork {
  requireVersion(version, instance);
  if (asOf === undefined) throw new Error('as_of is absent where a time belongs');
  if (total > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error(`total is ${total}, which cannot be right`);
  if (total < BigInt(open.length))
    throw new Error(`total is ${total}, but ${open.length} are listed as open`);
  return {
    asOf: instant(timestampMs(asOf)),
    total: Number(total),
    open: open.map(({ kind, id, since }) => ({
      kind,
      id,
      instance: instance.id,
      ...(since !== undefined && { since: instant(timestampMs(since)) }),
    })),
  };
}
