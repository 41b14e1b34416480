/** Proxies, decisions and applied documents as messages of the admin API. Pure, like views.ts. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type {
  ExplainResponseSchema,
  ServiceChangeSchema,
} from '../gen/switchyard/admin/v1/admin_service_pb.js';
import type {
  ProxyConnectionSchema,
  ProxySchema,
  ResourceTypeProgressSchema,
} from '../gen/switchyard/admin/v1/resources_pb.js';
import type { Decision, ProxyView, ServiceChange } from '../operations/types.ts';
import type { ProxyProgress, TypeProgress } from '../ports/publisher.ts';
import { CHANGE_KIND, PROXY_KIND, XDS_PROTOCOL } from './enums.ts';

export function proxyToMessage(proxy: ProxyView): MessageInitShape<typeof ProxySchema> {
  const { id, kind, connected, inSync, lastSeen, publication, pastRejections, progress } = proxy;
  return {
    id,
    kind: PROXY_KIND[kind],
    connected,
    inSync,
    lastSeen: timestampFromMs(lastSeen),
    publication: BigInt(publication),
    pastRejections: pastRejections.map(typeToMessage),
    ...(progress && { connection: connectionToMessage(progress) }),
  };
}

function connectionToMessage(progress: ProxyProgress): MessageInitShape<typeof ProxyConnectionSchema> {
  return {
    protocol: XDS_PROTOCOL[progress.protocol],
    address: progress.address,
    userAgent: progress.userAgent,
    connectedAt: timestampFromMs(progress.connectedAt),
    routesPublication: BigInt(progress.routesPublication),
    types: progress.types.map(typeToMessage),
  };
}

function typeToMessage(progress: TypeProgress): MessageInitShape<typeof ResourceTypeProgressSchema> {
  const { type, subscribed, acknowledgedVersion, publication, rejection } = progress;
  return {
    type,
    subscribed: [...subscribed],
    acknowledgedVersion,
    publication: BigInt(publication),
    ...(rejection && {
      rejection: {
        message: rejection.message,
        version: rejection.version,
        at: timestampFromMs(rejection.at),
      },
    }),
  };
}

export function decisionToMessage(decision: Decision): MessageInitShape<typeof ExplainResponseSchema> {
  return {
    service: decision.service ?? '',
    outcome: outcomeToMessage(decision.outcome),
    rule: decision.rule,
    because: decision.because,
  };
}

type OutcomeInit = NonNullable<
  Extract<MessageInitShape<typeof ExplainResponseSchema>, { outcome?: unknown }>['outcome']
>;

function outcomeToMessage(outcome: Decision['outcome']): OutcomeInit {
  switch (outcome.kind) {
    case 'Version':
      return { case: 'version', value: { version: outcome.version, readyEndpoints: outcome.readyEndpoints } };
    case 'Refused':
      return { case: 'refused', value: { status: outcome.status, code: outcome.code } };
    case 'ByWeight':
      return {
        case: 'byWeight',
        value: { weights: outcome.weights.map(({ version, weight }) => ({ version, weight })) },
      };
  }
}

export function serviceChangeToMessage(change: ServiceChange): MessageInitShape<typeof ServiceChangeSchema> {
  return {
    service: change.service,
    kind: CHANGE_KIND[change.kind],
    generation: BigInt(change.generation),
    differences: change.differences.map(({ field, before, after }) => ({ field, before, after })),
    effects: [...change.effects],
  };
}
