/**
 * Responses in their binary form, without the nonce. A response is encoded once per content; the nonce is put behind
 * it by framing.ts (protobuf allows fields in any order), so all streams share these bytes.
 */
import { create, toBinary } from '@bufbuild/protobuf';
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
} from '../gen/envoy/service/discovery/v3/discovery_pb.js';
import { TYPE_URLS } from './resource.ts';
import type { Content } from './resource-set.ts';

const CONTROL_PLANE = { identifier: 'switchyard' };

/** The fields that carry the nonce: envoy/service/discovery/v3/discovery.proto has number 5 in both responses. */
export const NONCE_FIELD = 5;

/** Encodes a DiscoveryResponse or DeltaDiscoveryResponse. */
export function encodeResponse(dialect: 'sotw' | 'delta', content: Content): Uint8Array {
  const typeUrl = TYPE_URLS[content.type];
  if (dialect === 'sotw') {
    return toBinary(
      DiscoveryResponseSchema,
      create(DiscoveryResponseSchema, {
        versionInfo: content.version,
        typeUrl,
        resources: content.resources.map(({ bytes }) => ({ typeUrl, value: bytes })),
        controlPlane: CONTROL_PLANE,
      }),
    );
  }
  return toBinary(
    DeltaDiscoveryResponseSchema,
    create(DeltaDiscoveryResponseSchema, {
      systemVersionInfo: content.version,
      typeUrl,
      resources: content.resources.map(({ name, version, bytes }) => ({
        name,
        version,
        resource: { typeUrl, value: bytes },
      })),
      removedResources: [...content.removed],
      controlPlane: CONTROL_PLANE,
    }),
  );
}
