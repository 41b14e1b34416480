/**
 * The access log to standard output. It is part of every listener, so that all proxies hold the same one, and asks a
 * runtime value of the proxy itself whether to write: `switchyard bootstrap --access-log` sets it.
 */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import type { AccessLogSchema } from '../../gen/envoy/config/accesslog/v3/accesslog_pb.js';
import { StdoutAccessLogSchema } from '../../gen/envoy/extensions/access_loggers/stream/v3/stream_pb.js';
import { FractionalPercent_DenominatorType } from '../../gen/envoy/type/v3/percent_pb.js';

/** The runtime key; its value is the percentage of requests that are logged. */
export const ACCESS_LOG_RUNTIME_KEY = 'switchyard.access_log';

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

export function accessLog(): MessageInitShape<typeof AccessLogSchema> {
  const stdout = create(StdoutAccessLogSchema, {
    accessLogFormat: {
      case: 'logFormat',
      value: { format: { case: 'jsonFormat', value: FIELDS } },
    },
  });
  return {
    name: 'envoy.access_loggers.stdout',
    filter: {
      filterSpecifier: {
        case: 'runtimeFilter',
        value: {
          runtimeKey: ACCESS_LOG_RUNTIME_KEY,
          percentSampled: { numerator: 0, denominator: FractionalPercent_DenominatorType.HUNDRED },
          useIndependentRandomness: true,
        },
      },
    },
    configType: { case: 'typedConfig', value: anyPack(StdoutAccessLogSchema, stdout) },
  };
}
