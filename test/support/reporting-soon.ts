/** Translations whose listeners report requests to the controller at once, so that tests need not wait. */
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { anyIs, anyPack, anyUnpack } from '@bufbuild/protobuf/wkt';
import type { AccessLog } from '../../src/gen/envoy/config/accesslog/v3/accesslog_pb.js';
import { ListenerSchema } from '../../src/gen/envoy/config/listener/v3/listener_pb.js';
import { HttpGrpcAccessLogConfigSchema } from '../../src/gen/envoy/extensions/access_loggers/grpc/v3/als_pb.js';
import { HttpConnectionManagerSchema } from '../../src/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { Translation } from '../../src/xds/resource.ts';

/** The same listener that does not wait: entries leave at once, and open streams are reported all the time. */
export function reportingSoon(translation: Translation): Translation {
  const envoy = translation.envoy.map((resource) => {
    if (resource.type !== 'listeners') return resource;
    const listener = fromBinary(ListenerSchema, resource.bytes);
    const filter = listener.filterChains[0]?.filters[0]?.configType;
    const manager =
      filter?.case === 'typedConfig' ? anyUnpack(filter.value, HttpConnectionManagerSchema) : undefined;
    const log = manager?.accessLog.map(({ configType }) => configType).find(isGrpcLog);
    const config = log === undefined ? undefined : anyUnpack(log.value, HttpGrpcAccessLogConfigSchema);
    const entries = config?.commonConfig?.bufferFlushInterval;
    const openStreams = manager?.accessLogOptions?.accessLogFlushInterval;
    if (!filter?.value || !log || !config || !manager || !entries || !openStreams)
      throw new Error('nothing is reported');
    Object.assign(entries, { seconds: 0n, nanos: 20_000_000 });
    Object.assign(openStreams, { seconds: 0n, nanos: 300_000_000 });
    log.value = anyPack(HttpGrpcAccessLogConfigSchema, config);
    filter.value = anyPack(HttpConnectionManagerSchema, manager);
    return { ...resource, bytes: toBinary(ListenerSchema, listener) };
  });
  return { ...translation, envoy };
}

function isGrpcLog(
  config: AccessLog['configType'],
): config is Extract<AccessLog['configType'], { case: 'typedConfig' }> {
  return config.case === 'typedConfig' && anyIs(config.value, HttpGrpcAccessLogConfigSchema);
}
