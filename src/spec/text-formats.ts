/**
 * Patterns of text fields. Each format takes a text and answers undefined, or what would be right; the caller adds
 * the field and the value.
 */
import { isName, isTenant, NAME_RULE, TENANT_RULE } from '../model/names.ts';

/** Answers what would be right, or undefined for a text that is. */
export type TextFormat = (text: string) => string | undefined;

/** Exactly one text. */
export function exactly(only: string): TextFormat {
  return (text) => (text === only ? undefined : `must be ${only}`);
}

/** The name of a service, a version or a listener. */
export const nameFormat: TextFormat = (text) => {
  if (isName(text)) return undefined;
  const lower = text.toLowerCase();
  return isName(lower) ? `must be lower-case: write ${lower}` : `must be ${NAME_RULE}`;
};

/** Text for the operating system: it ends such text at a NUL character. */
export const systemText: TextFormat = (text) =>
  text.includes('\0') ? 'must not hold a NUL character' : undefined;

/** A path in the file system. */
export const filePath: TextFormat = (text) => (text === '' ? 'must not be empty' : systemText(text));

/** The name of an environment variable. */
export const environmentName: TextFormat = (text) => {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(text))
    return 'must be letters, digits and "_", not beginning with a digit';
  return text.startsWith('SWITCHYARD_')
    ? 'must not begin with SWITCHYARD_, which is kept for Switchyard'
    : undefined;
};

/**
 * Headers that a proxy or HTTP itself reads. The pin and the tenant are removed where they do not count, so neither
 * may be one of these. Hop-by-hop names: RFC 9110 section 7.6.1; proxies drop them.
 */
const RESERVED_HEADERS = new Map<string, string>([
  ...[
    'connection',
    'keep-alive',
    'proxy-authenticate',
    'proxy-authorization',
    'proxy-connection',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
    'http2-settings',
  ].map((name) => [name, 'a hop-by-hop header, which proxies drop'] as const),
  ...[
    'host',
    'authorization',
    'cookie',
    'content-length',
    'content-type',
    'content-encoding',
    'date',
    'expect',
    'range',
    'user-agent',
    'accept',
    'x-forwarded-for',
    'x-forwarded-proto',
    'x-forwarded-host',
    'x-request-id',
    'traceparent',
  ].map((name) => [name, 'a header with another meaning'] as const),
]);
export const RESERVED_PREFIXES: readonly string[] = ['x-envoy-', 'x-switchyard-', 'grpc-', 'sec-'];
export const RESERVED_HEADER_NAMES: readonly string[] = [...RESERVED_HEADERS.keys()];

/** The name of a header that may carry a pin, a marker or a tenant. */
export const headerName: TextFormat = (text) => {
  const advice = 'such as x-delegate-version';
  if (text.startsWith(':')) return `must be an ordinary header ${advice}, not a pseudo header`;
  if (/[A-Z]/.test(text)) return `must be lower-case: write ${text.toLowerCase()}`;
  if (!/^[a-z]([a-z0-9-]{0,62}[a-z0-9])?$/.test(text)) {
    return `must be lower-case letters, digits and "-", 1 to 64 characters, beginning with a letter, ${advice}`;
  }
  const reserved = RESERVED_HEADERS.get(text);
  if (reserved !== undefined) return `is ${reserved}; choose a name of your own ${advice}`;
  const prefix = RESERVED_PREFIXES.find((begin) => text.startsWith(begin));
  if (prefix !== undefined)
    return `begins with the reserved "${prefix}"; choose a name of your own ${advice}`;
  return text.endsWith('-bin')
    ? `ends with "-bin", which gRPC keeps for binary values; choose another name`
    : undefined;
};

const HOST_PATTERN = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** An exact host name or IPv4 address, as proxies compare it. */
export const hostName: TextFormat = (text) => {
  if (/[A-Z]/.test(text)) return `must be lower-case: write ${text.toLowerCase()}`;
  if (text.includes('://')) return 'must be a host name only, without a scheme';
  if (/:\d*$/.test(text)) return 'must be without a port';
  if (text.includes('*')) return 'must be an exact host name, without "*"';
  return text.length <= 253 && HOST_PATTERN.test(text)
    ? undefined
    : 'must be a host name such as api.example.com';
};

/** A virtual host's domain: `*`, `*.example.com` or an exact host name. */
export const domain: TextFormat = (text) => {
  if (text === '*') return undefined;
  const suffix = text.startsWith('*.') ? text.slice(2) : text;
  if (suffix.includes('*')) return 'may hold "*" only alone or at the front, as in *.example.com';
  return hostName(suffix);
};

/** A path prefix that ends at a segment border. */
export const pathPrefix: TextFormat = (text) => {
  if (!text.startsWith('/')) return 'must begin with "/"';
  if (text === '/') return 'covers every path; to say that, write everywhere: true';
  if (text.endsWith('/'))
    return `must not end with "/": ${text.replace(/\/+$/, '')} covers what is below it too`;
  if (/[?#]/.test(text)) return 'must be a path without a query or a fragment';
  if (!/^[\x21-\x7e]+$/.test(text)) return 'must be visible ASCII characters; others are percent-encoded';
  return /\/(\.{0,2})(\/|$)/.test(text)
    ? 'must not hold empty, "." or ".." segments: proxies remove them'
    : undefined;
};

/** A path that is asked for with GET or POST; a query is allowed. */
export const requestPath: TextFormat = (text) =>
  /^\/[\x21\x22\x24-\x7e]*$/.test(text)
    ? undefined
    : 'must begin with "/" and be visible ASCII characters without "#"';

const GRPC_SERVICE_PATTERN = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/;

/** A full gRPC service name. */
export const grpcService: TextFormat = (text) =>
  GRPC_SERVICE_PATTERN.test(text) ? undefined : 'must be a full gRPC service name such as pipeline.v1.Tasks';

/** A service that the gRPC health protocol is asked for; empty is the server as a whole. */
export const grpcHealthService: TextFormat = (text) => (text === '' ? undefined : grpcService(text));

const GRPC_METHOD_PATTERN = /^\/[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*\/[A-Za-z_][A-Za-z0-9_]*$/;

/** A full gRPC method. */
export const grpcMethod: TextFormat = (text) =>
  GRPC_METHOD_PATTERN.test(text) ? undefined : 'must be a full gRPC method such as /pipeline.v1.Tasks/Get';

/** Text that says something. */
export const notBlank: TextFormat = (text) => (text.trim() === '' ? 'must not be empty' : undefined);

/** The name of an argument of a query's template. */
export const argumentName: TextFormat = (text) =>
  /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(text)
    ? undefined
    : 'must be letters, digits and "_", 1 to 64 characters, not beginning with a digit';

/** A label of Prometheus: https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels. */
export const labelName: TextFormat = (text) =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(text)
    ? undefined
    : 'must be the name of a label: letters, digits and "_", not beginning with a digit';

/** The value of the tenant header. */
export const tenant: TextFormat = (text) => (isTenant(text) ? undefined : `must be ${TENANT_RULE}`);

/** The value of a header as proxies compare it: spaces at the ends would be cut off on the way. */
export const headerValue: TextFormat = (text) =>
  /^[\x21-\x7e]([\x20-\x7e]{0,1022}[\x21-\x7e])?$/.test(text)
    ? undefined
    : 'must be 1 to 1024 visible ASCII characters, without a space at either end';

/** Headers that a request of ours gets by itself. */
export const MADE_HEADERS: readonly string[] = [
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'keep-alive',
  'expect',
];

/** A header of a request that Switchyard makes. */
export const requestHeader: TextFormat = (text) => {
  if (/[A-Z]/.test(text)) return `must be lower-case: write ${text.toLowerCase()}`;
  if (!/^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/.test(text)) return 'must be the name of a header';
  return MADE_HEADERS.includes(text)
    ? 'is a header that the request gets by itself: leave it out'
    : undefined;
};

/** A method of HTTP. */
export const httpMethod: TextFormat = (text) => {
  if (/^[A-Z]{1,20}$/.test(text))
    return text === 'CONNECT' ? 'must be another method: CONNECT opens a tunnel' : undefined;
  return /^[A-Za-z]{1,20}$/.test(text)
    ? `must be in capital letters: write ${text.toUpperCase()}`
    : 'must be a method of HTTP such as GET';
};

/** Methods whose repetition changes nothing more: RFC 9110 section 9.2.2. TRACE is left out: proxies refuse it. */
export const IDEMPOTENT_METHODS: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'];

/** A method whose requests may be copied. */
export const mirrorMethod: TextFormat = (text) =>
  IDEMPOTENT_METHODS.includes(text)
    ? undefined
    : `must be one of ${IDEMPOTENT_METHODS.join(', ')}: a copy of any other would be done twice`;

/** The action of an event: `RolloutAborted`. */
export const eventAction: TextFormat = (text) =>
  /^[A-Z][A-Za-z]{1,63}$/.test(text) ? undefined : 'must be the action of an event such as RolloutAborted';
