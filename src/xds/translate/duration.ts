/** Lengths of time as the protobuf message that Envoy's configuration holds. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { DurationSchema } from '@bufbuild/protobuf/wkt';
import type { Milliseconds } from '../../model/instant.ts';

/** Whole seconds and the rest in nanoseconds. */
export function duration(length: Milliseconds): MessageInitShape<typeof DurationSchema> {
  const seconds = Math.floor(length / 1000);
  return { seconds: BigInt(seconds), nanos: Math.round((length - seconds * 1000) * 1_000_000) };
}
