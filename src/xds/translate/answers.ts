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
import type { ServiceRoutes } from '../../model/table.ts';
import { CODE_HEADER } from './headers.ts';
import type { Route } from './matching.ts';
import { routeName } from './route-names.ts';

export type HeaderValueOption = MessageInitShape<typeof HeaderValueOptionSchema>;

/** An answer before it is put into either protocol. */
interface Answer {
  /** The route's name, which access logs tell. */
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly httpStatus: number;
  readonly grpcStatus: number;
  readonly retryAfterSeconds: number;
  /** Facts for the JSON body, by their JSON names. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** The same facts as headers. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Rule 1: the pin names no version that takes requests. 409, over gRPC FAILED_PRECONDITION. */
export function refusal({ service, refusal: facts }: ServiceRoutes, message: string): Route[] {
  const { activeVersions, primary, retryAfterSeconds } = facts;
  return answer({
    name: routeName({ service, route: 'Refused' }),
    code: 'VERSION_NOT_ACTIVE',
    message,
    httpStatus: 409,
    grpcStatus: 9,
    retryAfterSeconds,
    facts: { activeVersions, ...(primary === undefined ? {} : { primary }) },
    headers: [
      ['x-switchyard-active-versions', activeVersions.join(',')],
      ...(primary === undefined ? [] : [['x-switchyard-primary', primary] as const]),
    ],
  });
}

/** There is no primary. 503, over gRPC UNAVAILABLE. */
export function noPrimary(
  { service, refusal: { retryAfterSeconds } }: ServiceRoutes,
  reason: string,
): Route[] {
  return answer({
    name: routeName({ service, route: 'Default' }),
    code: 'NO_PRIMARY',
    message: reason,
    httpStatus: 503,
    grpcStatus: 14,
    retryAfterSeconds,
    facts: {},
    headers: [],
  });
}

/** A header that replaces what the instance, or for a copy the client, may have set. `%` would begin a command of Envoy's. */
export function overwriteHeader(key: string, value: string): HeaderValueOption {
  return {
    header: { key, value: value.replaceAll('%', '%%') },
    appendAction: HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
  };
}

function answer({
  name,
  code,
  message,
  httpStatus,
  grpcStatus,
  retryAfterSeconds,
  facts,
  headers,
}: Answer): Route[] {
  const common = [
    overwriteHeader(CODE_HEADER, code),
    overwriteHeader('retry-after', String(retryAfterSeconds)),
    ...headers.map(([header, value]) => overwriteHeader(header, value)),
  ];
  const body = `${JSON.stringify({ code, message, ...facts, retryAfterSeconds })}\n`;
  return [
    {
      name,
      match: { pathSpecifier: { case: 'prefix', value: '/' }, grpc: {} },
      action: { case: 'directResponse', value: { status: 200 } },
      responseHeadersToAdd: [
        overwriteHeader('content-type', 'application/grpc'),
        overwriteHeader('grpc-status', String(grpcStatus)),
        overwriteHeader('grpc-message', percentEncoded(message)),
        ...common,
      ],
    },
    {
      name,
      match: { pathSpecifier: { case: 'prefix', value: '/' } },
      action: {
        case: 'directResponse',
        value: { status: httpStatus, body: { specifier: { case: 'inlineString', value: body } } },
      },
      responseHeadersToAdd: [overwriteHeader('content-type', 'application/json'), ...common],
    },
  ];
}

/** As gRPC over HTTP/2 writes a message: all but visible ASCII, and `%` itself, as `%` and two hexadecimal digits. */
function percentEncoded(message: string): string {
  const bytes = new TextEncoder().encode(message);
  return Array.from(bytes, (byte) =>
    byte >= 0x20 && byte <= 0x7e && byte !== 0x25
      ? String.fromCodePoint(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
}
