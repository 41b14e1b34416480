/** The route table of one listener: its services as virtual hosts, by domain. The only resource that a flip changes. */
import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { RouteConfigurationSchema } from '../../gen/envoy/config/route/v3/route_pb.js';
import type { ListenerName } from '../../model/names.ts';

/** Room for a refusal that lists a hundred versions with the longest names. */
const MAX_DIRECT_RESPONSE_BYTES = 16_384;

/**
 * The encoded route table of `listener`, from encoded virtual hosts: they are put in as they are, so that a change of
 * one service does not encode its neighbours again. Fields of a message may stand in any order.
 */
export function routeTable(listener: ListenerName, virtualHosts: readonly Uint8Array[]): Uint8Array {
  const table = create(RouteConfigurationSchema, {
    name: listener,
    // An order that is wrong is then a rejected update with the old table kept, and not failing requests.
    validateClusters: true,
    ignorePortInHostMatching: true,
    maxDirectResponseBodySizeBytes: MAX_DIRECT_RESPONSE_BYTES,
  });
  const writer = new BinaryWriter().raw(toBinary(RouteConfigurationSchema, table));
  const { number } = RouteConfigurationSchema.field.virtualHosts;
  for (const virtualHost of virtualHosts) writer.tag(number, WireType.LengthDelimited).bytes(virtualHost);
  return writer.finish();
}
