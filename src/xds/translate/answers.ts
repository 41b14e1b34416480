/**
 * What a proxy answers by itself: refusals and reasons, that a program can act on. HTTP clients get a status and a JSON
 * body; gRPC clients get a gRPC status with the same facts in their metadata (a plain direct response would reach them
 * as UNKNOWN or INTERNAL).
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  HeaderValueOption_HeaderAppendAction,
  type HeaderValueOptionSchema,
} from '../../gen/envoy/config/core/v3/base_pb.js';
import {
  type Answer,
  bodyOf,
  grpcHeadersOf,
  headersOf,
  unavailable,
  versionNotActive,
} from '../../model/answer.ts';
import type { ServiceRoutes } from '../../model/table.ts';
import type { Route } from './matching.ts';
import { routeName } from './route-names.ts';

export type HeaderValueOption = MessageInitShape<typeof HeaderValueOptionSchema>;

/** Rule 1: the pin names no version that takes requests. */
export function refusal({ service, refusal: facts }: ServiceRoutes, message: string): Route[] {
  return routesOf(routeName({ service, route: 'Refused' }), versionNotActive(facts, message));
}

/** There is no primary. */
export function noPrimary({ service, refusal: facts }: ServiceRoutes, reason: string): Route[] {
  const { retryAfterSeconds } = facts;
  const answer = unavailable({ code: 'NO_PRIMARY', message: reason, retryAfterSeconds });
  return routesOf(routeName({ service, route: 'Default' }), answer);
}

/** A header that replaces what the instance, or for a copy the client, may have set. `%` would begin a command of Envoy's. */
export function overwriteHeader(key: string, value: string): HeaderValueOption {
  return {
    header: { key, value: value.replaceAll('%', '%%') },
    appendAction: HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
  };
}

/** `name` is the routes' own, which access logs tell. */
function routesOf(name: string, answer: Answer): Route[] {
  const overwritten = (headers: Answer['headers']): readonly HeaderValueOption[] =>
    headers.map(([header, value]) => overwriteHeader(header, value));
  const common = overwritten(headersOf(answer));
  return [
    {
      name,
      match: { pathSpecifier: { case: 'prefix', value: '/' }, grpc: {} },
      action: { case: 'directResponse', value: { status: 200 } },
      responseHeadersToAdd: [...overwritten(grpcHeadersOf(answer)), ...common],
    },
    {
      name,
      match: { pathSpecifier: { case: 'prefix', value: '/' } },
      action: {
        case: 'directResponse',
        value: {
          status: answer.httpStatus,
          body: { specifier: { case: 'inlineString', value: bodyOf(answer) } },
        },
      },
      responseHeadersToAdd: [overwriteHeader('content-type', 'application/json'), ...common],
    },
  ];
}
