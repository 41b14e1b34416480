/**
 * Access logs of a listener. The one to standard output is part of every listener, so that all proxies hold the same one,
 * and asks a runtime value of the proxy itself whether to write: `switchyard bootstrap --access-log` sets it. The one to the
 * controller is for listeners whose spec asks for it; logged-request.ts reads its entries.
 */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import type {
  AccessLogFilterSchema,
  AccessLogSchema,
} from '../../gen/envoy/config/accesslog/v3/accesslog_pb.js';
import { ApiVersion } from '../../gen/envoy/config/core/v3/config_source_pb.js';
import { AccessLogType } from '../../gen/envoy/data/accesslog/v3/accesslog_pb.js';
import { HttpGrpcAccessLogConfigSchema } from '../../gen/envoy/extensions/access_loggers/grpc/v3/als_pb.js';
import { StdoutAccessLogSchema } from '../../gen/envoy/extensions/access_loggers/stream/v3/stream_pb.js';
import { FractionalPercent_DenominatorType } from '../../gen/envoy/type/v3/percent_pb.js';
import { duration } from './duration.ts';
import { LOGGED_HEADERS, LOGGED_TRAILERS } from './logged-request.ts';
import { CONTROLLER_CLUSTER } from './names.ts';

/** The runtime key; its value is the percentage of requests that are logged. */
export const ACCESS_LOG_RUNTIME_KEY = 'switchyard.access_log';

/** What the controller's access log calls itself in the first message of each stream. */
const ACCESS_LOG_NAME = 'switchyard';

const FIELDS = {
  start: '%START_TIME%',
  method: '%REQ(:METHOD)%',
  authority: '%REQ(:AUTHORITY)%',
  path: '%REQ(:PATH)%',
  protocol: '%PROTOCOL%',
  status: '%RESPONSE_CODE%',
  flags: '%RESPONSE_FLAGS%',
  details: '%RESPONSE_CODE_DETAILS%',
  cluster: '%UPSTREAM_CLUSTER_RAW%',
  host: '%UPSTREAM_HOST%',
  attempts: '%UPSTREAM_REQUEST_ATTEMPT_COUNT%',
  duration: '%DURATION%',
  client: '%DOWNSTREAM_REMOTE_ADDRESS%',
  requestId: '%REQ(X-REQUEST-ID)%',
};

/** The logs of a listener. */
export function accessLogs(
  where: 'OnlyByRuntime' | 'ToController',
): MessageInitShape<typeof AccessLogSchema>[] {
  if (where === 'OnlyByRuntime') return [toStandardOutput(BY_RUNTIME)];
  // Reports on streams that go on are for the controller: a line of the log is a request that has ended.
  return [toStandardOutput(all([BY_RUNTIME, ENDED])), toController()];
}

/** Streams may last for hours: the controller is told of each that is open, once in so long. */
export const LOG_OF_OPEN_STREAMS = { accessLogFlushInterval: duration(60_000) };

type Filter = MessageInitShape<typeof AccessLogFilterSchema>;

const BY_RUNTIME: Filter = {
  filterSpecifier: {
    case: 'runtimeFilter',
    value: {
      runtimeKey: ACCESS_LOG_RUNTIME_KEY,
      percentSampled: { numerator: 0, denominator: FractionalPercent_DenominatorType.HUNDRED },
      useIndependentRandomness: true,
    },
  },
};

const ENDED: Filter = {
  filterSpecifier: { case: 'logTypeFilter', value: { types: [AccessLogType.DownstreamEnd] } },
};

function all(filters: Filter[]): Filter {
  return { filterSpecifier: { case: 'andFilter', value: { filters } } };
}

function toStandardOutput(filter: Filter): MessageInitShape<typeof AccessLogSchema> {
  const stdout = create(StdoutAccessLogSchema, {
    accessLogFormat: {
      case: 'logFormat',
      value: { format: { case: 'jsonFormat', value: FIELDS } },
    },
  });
  return {
    name: 'envoy.access_loggers.stdout',
    filter,
    configType: { case: 'typedConfig', value: anyPack(StdoutAccessLogSchema, stdout) },
  };
}

/** Entries wait this long for others, to be sent together. */
const FLUSH_INTERVAL = 1_000;

/** Every request, to where the proxy's configuration comes from. While the controller is away entries are dropped, and counted. */
function toController(): MessageInitShape<typeof AccessLogSchema> {
  const config = create(HttpGrpcAccessLogConfigSchema, {
    commonConfig: {
      logName: ACCESS_LOG_NAME,
      transportApiVersion: ApiVersion.V3,
      grpcService: { targetSpecifier: { case: 'envoyGrpc', value: { clusterName: CONTROLLER_CLUSTER } } },
      bufferFlushInterval: duration(FLUSH_INTERVAL),
    },
    additionalResponseHeadersToLog: [...LOGGED_HEADERS],
    additionalResponseTrailersToLog: [...LOGGED_TRAILERS],
  });
  return {
    name: 'envoy.access_loggers.http_grpc',
    configType: { case: 'typedConfig', value: anyPack(HttpGrpcAccessLogConfigSchema, config) },
  };
}
