/**
 * Rules between the fields of one message: what no single field can say. A rule runs only where the fields that it
 * uses are without a fault, so that one mistake is reported once.
 */
import type { Message } from '@bufbuild/protobuf';
import * as config from '../gen/switchyard/config/v1/config_pb.js';
import { formatSocketAddress, parseSocketAddress } from './address.ts';
import { milliseconds } from './leaf.ts';
import { type MessageFault, type MessageRule, rule } from './message-rule.ts';
import { DELEGATE_MESSAGE_RULES } from './message-rules-of-delegates.ts';
import { GATEWAY_API_MESSAGE_RULES } from './message-rules-of-gateway-api.ts';
import { KUBERNETES_MESSAGE_RULES } from './message-rules-of-kubernetes.ts';
import { ROLLOUT_MESSAGE_RULES } from './message-rules-of-rollouts.ts';
import { VERIFICATION_MESSAGE_RULES } from './message-rules-of-verification.ts';

const MESSAGE_RULES: readonly MessageRule[] = [
  rule(config.ScopeSchema, ['everywhere', 'nowhere', 'hosts', 'paths', 'grpcServices'], oneWayToSayWhere),
  rule(config.EndpointsRuntimeSchema, ['versions', 'file'], ({ versions, file }) =>
    versions.length > 0 || file !== undefined
      ? []
      : [{ field: '', message: 'needs versions, or a file that lists them' }],
  ),
  rule(config.EndpointsVersionSchema, ['addresses'], distinctAddresses),
  rule(config.PortRangeSchema, ['from', 'to'], ({ from, to }) =>
    from <= to ? [] : [{ field: 'to', message: `${to} must not be below from, ${from}` }],
  ),
  rule(config.ProcessesRuntimeSchema, ['instances', 'ports'], ({ instances, ports }) => {
    const count = ports === undefined ? 0 : ports.to - ports.from + 1;
    return count >= instances
      ? []
      : [
          {
            field: 'ports',
            message: `has ${count} ports for ${instances} instances of each version: widen the range`,
          },
        ];
  }),
  rule(config.RestartBackoffSchema, ['initial', 'max'], ({ initial, max }) =>
    milliseconds(initial) <= milliseconds(max)
      ? []
      : [{ field: 'max', message: 'must not be shorter than initial' }],
  ),
  rule(config.UpstreamSchema, ['protocol', 'healthCheck'], grpcChecksNeedHttp2),
  rule(config.VersionedServiceSpecSchema, ['version', 'runtime'], wantedVersionIsListed),
  rule(config.VersionedServiceSpecSchema, ['pin', 'tenantKey'], distinctHeaders),
  ...DELEGATE_MESSAGE_RULES,
  ...GATEWAY_API_MESSAGE_RULES,
  ...KUBERNETES_MESSAGE_RULES,
  ...ROLLOUT_MESSAGE_RULES,
  ...VERIFICATION_MESSAGE_RULES,
];

/** The faults of a message; `usable` tells whether a field of it is without a fault. */
export function faultsOfMessage(
  message: Message,
  usable: (field: string) => boolean,
): readonly MessageFault[] {
  return MESSAGE_RULES.filter(
    ({ typeName, uses }) => typeName === message.$typeName && uses.every(usable),
  ).flatMap(({ check }) => check(message));
}

function oneWayToSayWhere({
  everywhere,
  nowhere,
  hosts,
  paths,
  grpcServices,
}: config.Scope): readonly MessageFault[] {
  const faults: MessageFault[] = [];
  if (everywhere === false)
    faults.push({
      field: 'everywhere',
      message: 'may only be true: leave it out and list hosts, paths or grpcServices',
    });
  if (nowhere === false)
    faults.push({
      field: 'nowhere',
      message: 'may only be true: leave it out and list hosts, paths or grpcServices',
    });
  if (faults.length > 0) return faults;
  const lists = hosts.length + paths.length + grpcServices.length > 0;
  const ways = [everywhere === true, nowhere === true, lists].filter(Boolean).length;
  if (ways === 0)
    return [
      { field: '', message: 'says nothing: list hosts, paths or grpcServices, or write {nowhere: true}' },
    ];
  if (ways === 1) return [];
  return [{ field: '', message: 'contradicts itself: write either everywhere, or nowhere, or the lists' }];
}

/** The canonical text decides: `[::1]:80` and `[0::1]:80` are one address. */
function distinctAddresses({ addresses }: config.EndpointsVersion): readonly MessageFault[] {
  const first = new Map<string, number>();
  const faults: MessageFault[] = [];
  for (const [index, text] of addresses.entries()) {
    const address = parseSocketAddress(text);
    const canonical = address === undefined ? text : formatSocketAddress(address);
    const earlier = first.get(canonical);
    if (earlier === undefined) first.set(canonical, index);
    else
      faults.push({
        field: `addresses[${index}]`,
        message: `"${text}" is the same address as addresses[${earlier}]: keep one`,
      });
  }
  return faults;
}

/** A proxy rejects the cluster otherwise. Http1 is also what a protocol that is left out means. */
function grpcChecksNeedHttp2({ protocol, healthCheck }: config.Upstream): readonly MessageFault[] {
  if (healthCheck?.kind.case !== 'grpc') return [];
  if (protocol === config.Protocol.HTTP2 || protocol === config.Protocol.SAME_AS_CLIENT) return [];
  return [
    {
      field: 'healthCheck.grpc',
      message: 'needs HTTP/2: set protocol to Http2 or SameAsClient, or check over http or tcp',
    },
  ];
}

function wantedVersionIsListed({ version, runtime }: config.VersionedServiceSpec): readonly MessageFault[] {
  if (runtime?.kind.case !== 'endpoints') return [];
  const { versions, file } = runtime.kind.value;
  const listed = versions.map(({ name }) => name);
  if (file !== undefined || listed.includes(version)) return [];
  return [
    {
      field: 'version',
      message: `"${version}" is not listed in spec.runtime.endpoints.versions (${listed.join(', ')}): list it there, or give a file`,
    },
  ];
}

function distinctHeaders({ pin, tenantKey }: config.VersionedServiceSpec): readonly MessageFault[] {
  const header = pin?.header;
  const marker = pin?.markerHeader;
  const tenant = tenantKey?.header;
  if (marker === header)
    return [{ field: 'pin.markerHeader', message: `"${marker}" is the pin's own header: choose another` }];
  if (tenant !== undefined && (tenant === header || tenant === marker)) {
    return [{ field: 'tenantKey.header', message: `"${tenant}" is a header of the pin: choose another` }];
  }
  return [];
}
