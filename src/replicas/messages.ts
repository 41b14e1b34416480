/** The messages that replicas send each other, to and from what the program works with. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import {
  type FollowRequest,
  FollowRequestSchema,
  type Proxy,
  Proxy_Kind,
  Proxy_Protocol,
  type ProxySchema,
  type ResourceType,
} from '../gen/switchyard/replica/v1/replica_pb.js';
import { instant } from '../model/instant.ts';
import type { ProxyProgress, TypeProgress } from '../ports/publisher.ts';
import type { FollowerReport } from './leading.ts';

/** A message that no replica of any release sends. */
class InvalidReportError extends Error {
  override readonly name = 'InvalidReportError';
}

export function requestOf(replica: string, report: FollowerReport): FollowRequest {
  return create(FollowRequestSchema, {
    replica,
    commit: BigInt(report.commit),
    changed: report.changed.map(proxyMessage),
    gone: [...report.gone],
    heldBack: [...report.heldBack],
  });
}

/** Throws InvalidReportError. */
export function reportOf(request: FollowRequest): FollowerReport {
  if (request.replica === '') throw new InvalidReportError('replica: a follower must say its name');
  return {
    commit: Number(request.commit),
    changed: request.changed.map(progressOf),
    gone: request.gone,
    heldBack: request.heldBack,
  };
}

function proxyMessage(proxy: ProxyProgress): MessageInitShape<typeof ProxySchema> {
  const { id, nodeId, address, userAgent } = proxy;
  return {
    id,
    nodeId,
    address,
    userAgent,
    kind: proxy.kind === 'envoy' ? Proxy_Kind.ENVOY : Proxy_Kind.GRPC,
    protocol: proxy.protocol === 'sotw' ? Proxy_Protocol.SOTW : Proxy_Protocol.DELTA,
    connectedAt: timestampFromMs(proxy.connectedAt),
    lastSeen: timestampFromMs(proxy.lastSeen),
    hasForeignBootstrap: proxy.hasForeignBootstrap === true,
    commit: BigInt(proxy.publication),
    routesCommit: BigInt(proxy.routesPublication),
    types: proxy.types.map(({ type, subscribed, acknowledgedVersion, publication, rejection }) => ({
      type,
      subscribed: [...subscribed],
      acknowledgedVersion,
      commit: BigInt(publication),
      ...(rejection === undefined ? {} : { rejection: { ...rejection, at: timestampFromMs(rejection.at) } }),
    })),
  };
}

function progressOf(proxy: Proxy): ProxyProgress {
  const { id, nodeId, address, userAgent, connectedAt, lastSeen } = proxy;
  if (id === '' || connectedAt === undefined || lastSeen === undefined)
    throw new InvalidReportError(`changed: a proxy must have id, connected_at and last_seen, not only ${id}`);
  return {
    id,
    nodeId,
    address,
    userAgent,
    kind: proxy.kind === Proxy_Kind.GRPC ? 'grpc' : 'envoy',
    protocol: proxy.protocol === Proxy_Protocol.DELTA ? 'delta' : 'sotw',
    connectedAt: instant(timestampMs(connectedAt)),
    lastSeen: instant(timestampMs(lastSeen)),
    ...(proxy.hasForeignBootstrap ? { hasForeignBootstrap: true } : {}),
    publication: Number(proxy.commit),
    routesPublication: Number(proxy.routesCommit),
    types: proxy.types.map(typeOf),
  };
}

function typeOf({ type, subscribed, acknowledgedVersion, commit, rejection }: ResourceType): TypeProgress {
  const at = rejection?.at;
  return {
    type,
    subscribed,
    acknowledgedVersion,
    publication: Number(commit),
    ...(rejection === undefined || at === undefined
      ? {}
      : {
          rejection: {
            message: rejection.message,
            version: rejection.version,
            at: instant(timestampMs(at)),
          },
        }),
  };
}
