/**
 * What one entry of a proxy's access log says of a request, in our own words. The entry comes from a listener whose routes
 * are named by route-names.ts; an entry of anything else says nothing. Pure.
 */
import type { HTTPAccessLogEntry, ResponseFlags } from '../../gen/envoy/data/accesslog/v3/accesslog_pb.js';
import { AccessLogType } from '../../gen/envoy/data/accesslog/v3/accesslog_pb.js';
import type { Milliseconds } from '../../model/instant.ts';
import { isName, type ServiceName, type VersionName } from '../../model/names.ts';
import type { TrafficResult } from '../../model/traffic.ts';
import { VERSION_HEADER } from './headers.ts';
import { parseClusterName } from './names.ts';
import { type NamedRoute, parseRouteName } from './route-names.ts';

/** A gRPC call carries its status in the trailers, or in the headers where there are no messages. */
const GRPC_STATUS_HEADER = 'grpc-status';
/** The headers of an answer, and those of its trailers, that a listener must log. */
export const LOGGED_HEADERS: readonly string[] = [VERSION_HEADER, GRPC_STATUS_HEADER];
export const LOGGED_TRAILERS: readonly string[] = [GRPC_STATUS_HEADER];

/** One request as a proxy saw it. */
export interface LoggedRequest {
  /** `Open`: a report on a stream that goes on. There will be more, and one `Ended`: count that one only. */
  readonly kind: 'Ended' | 'Open';
  /** The same in every entry of one request. */
  readonly streamId: string;
  readonly service: ServiceName;
  /** Absent: no version was reached. Over a retry that moved, the last one. */
  readonly version?: VersionName;
  readonly route: NamedRoute['route'];
  readonly result: TrafficResult;
  /** Attempts beyond the first. */
  readonly retries: number;
  /** From the request's first byte to the end of the answer, or until now. */
  readonly duration: Milliseconds;
  /**
   * A copy went to this version. Nobody waits for what becomes of it: the copy is one more request with the route `Mirror`
   * and the result `Unknown`; how it ended is in the statistics of the version's cluster for copies.
   */
  readonly copiedTo?: VersionName;
}

/** What the entry says; `undefined` where no route of ours took the request. */
export function readEntry(entry: HTTPAccessLogEntry): LoggedRequest | undefined {
  const common = entry.commonProperties;
  const named = parseRouteName(common?.routeName ?? '');
  if (common === undefined || named === undefined) return undefined;
  const kind = kindOf(common.accessLogType);
  if (kind === undefined) return undefined;
  const { service, route, copiedTo } = named;
  const version = versionOf(entry, service);
  return {
    kind,
    streamId: common.streamId,
    service,
    route,
    ...(version === undefined ? {} : { version }),
    // A proxy that finds no instance for the request itself answers before it makes the copy.
    ...(copiedTo === undefined || common.upstreamCluster === '' ? {} : { copiedTo }),
    result: resultOf(entry, route),
    retries: Math.max(0, common.upstreamRequestAttemptCount - 1),
    duration: Number(common.duration?.seconds ?? 0n) * 1000 + (common.duration?.nanos ?? 0) / 1_000_000,
  };
}

/** An entry names the cluster of the instance that was tried last. Where none was, the answer's header has the version. */
function versionOf(
  { commonProperties, response }: HTTPAccessLogEntry,
  service: ServiceName,
): VersionName | undefined {
  const cluster = parseClusterName(commonProperties?.upstreamCluster ?? '');
  if (cluster !== undefined) return cluster.service === service ? cluster.version : undefined;
  const meant = response?.responseHeaders[VERSION_HEADER] ?? '';
  return isName(meant) ? (meant as VersionName) : undefined;
}

function kindOf(type: AccessLogType): LoggedRequest['kind'] | undefined {
  if (type === AccessLogType.DownstreamEnd) return 'Ended';
  return type === AccessLogType.DownstreamPeriodic ? 'Open' : undefined;
}

/** Flags of answers that the proxy gave because no instance could take the request. */
const UNAVAILABLE = [
  'noHealthyUpstream',
  'upstreamConnectionFailure',
  'upstreamOverflow',
  'noClusterFound',
] as const satisfies (keyof ResponseFlags)[];

/** How Envoy calls answers that broke off (`%RESPONSE_CODE_DETAILS%`), and were not broken off by the client. */
const CUT_DETAILS = [
  'upstream_reset_after_response_started',
  'upstream_max_stream_duration_reached',
  'max_duration_timeout',
  'stream_idle_timeout',
  'downstream_local_disconnect',
];

function resultOf(
  { commonProperties, response }: HTTPAccessLogEntry,
  route: NamedRoute['route'],
): TrafficResult {
  if (route === 'Refused') return 'Refused';
  const flags = commonProperties?.responseFlags;
  const details = response?.responseCodeDetails ?? '';
  if (CUT_DETAILS.some((cut) => details.startsWith(cut))) return 'Cut';
  if (flags?.downstreamConnectionTermination === true || flags?.downstreamRemoteReset === true)
    return 'ClientGone';
  if (UNAVAILABLE.some((flag) => flags?.[flag] === true)) return 'Unavailable';
  // The instance had the request and ended without a word; one that refused the stream had not begun it.
  if (details.startsWith('upstream_reset_before_response_started'))
    return details.includes('refused_stream') ? 'Unavailable' : 'Cut';
  // A default route that answers by itself has no version to send to.
  if (details === 'direct_response') return 'Unavailable';
  const status = response?.responseCode ?? 0;
  if (status >= 500) return 'ServerError';
  if (status >= 400) return 'ClientError';
  return status === 0 ? 'ClientGone' : byGrpcStatus(response);
}

/** Statuses that OpenTelemetry counts as errors of a gRPC server (semantic conventions, rpc.grpc.status_code). */
const GRPC_SERVER_ERRORS: ReadonlySet<string> = new Set(['2', '4', '12', '13', '14', '15']);

function byGrpcStatus(response: HTTPAccessLogEntry['response']): TrafficResult {
  const status =
    response?.responseTrailers[GRPC_STATUS_HEADER] ?? response?.responseHeaders[GRPC_STATUS_HEADER];
  if (status === undefined || status === '0') return 'Success';
  return GRPC_SERVER_ERRORS.has(status) ? 'ServerError' : 'ClientError';
}
