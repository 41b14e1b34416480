/**
 * What is answered in place of a version, by proxies and by the backend for gateways that cannot answer by themselves: facts
 * that a program can act on, as a status with a JSON body for HTTP and as a gRPC status with the same facts in metadata.
 */
import type { Refusal } from './table.ts';

/** On an answer that no version gave: why, for a program. */
export const CODE_HEADER = 'x-switchyard-code';

/** On a request that a gateway sends to the refusal backend: whose it is. Routes set it, whatever a client has sent. */
export const SERVICE_HEADER = 'x-switchyard-service';

/** An answer before it is put into either protocol. */
export interface Answer {
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
export function versionNotActive(refusal: Refusal, message: string): Answer {
  const { activeVersions, primary, retryAfterSeconds } = refusal;
  return {
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
  };
}

/** Nobody can take the request now. 503, over gRPC UNAVAILABLE. */
export function unavailable(about: {
  readonly code: string;
  readonly message: string;
  readonly retryAfterSeconds: number;
}): Answer {
  return { ...about, httpStatus: 503, grpcStatus: 14, facts: {}, headers: [] };
}

/** The JSON body for HTTP clients. */
export function bodyOf({ code, message, facts, retryAfterSeconds }: Answer): string {
  return `${JSON.stringify({ code, message, ...facts, retryAfterSeconds })}\n`;
}

/** Headers of either protocol. */
export function headersOf({ code, retryAfterSeconds, headers }: Answer): Answer['headers'] {
  return [[CODE_HEADER, code], ['retry-after', String(retryAfterSeconds)], ...headers];
}

/** Headers of the gRPC status, beside those of both protocols. */
export function grpcHeadersOf({ grpcStatus, message }: Answer): Answer['headers'] {
  return [
    ['content-type', 'application/grpc'],
    ['grpc-status', String(grpcStatus)],
    ['grpc-message', percentEncoded(message)],
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
