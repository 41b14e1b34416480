/**
 * Listeners as Envoy opens them. A change of a listener cuts every stream on it, so nothing here depends on versions,
 * weights or endpoints, and a new release must render the same bytes (golden files hold them).
 */
import { create, type DescMessage, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { type Listener, ListenerSchema } from '../../gen/envoy/config/listener/v3/listener_pb.js';
import { RouterSchema } from '../../gen/envoy/extensions/filters/http/router/v3/router_pb.js';
import {
  type HttpConnectionManager,
  HttpConnectionManager_CodecType,
  HttpConnectionManager_PathWithEscapedSlashesAction,
  HttpConnectionManager_ServerHeaderTransformation,
  HttpConnectionManagerSchema,
} from '../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { HeaderMutationSchema } from '../../gen/envoy/extensions/http/early_header_mutation/header_mutation/v3/header_mutation_pb.js';
import type { ListenerBinding } from '../../model/spec.ts';
import { accessLogs, LOG_OF_OPEN_STREAMS } from './access-log.ts';
import { OVER_ADS } from './clusters.ts';
import { duration } from './duration.ts';
import { localReplies } from './local-replies.ts';

/** A client that has begun its headers and never ends them holds no connection for longer than this. */
const HEADERS_TIMEOUT = 60_000;

/** A listener that takes HTTP/1 and HTTP/2, gRPC and websockets on one port. */
export function envoyListener(binding: ListenerBinding): Listener {
  return create(ListenerSchema, {
    name: binding.name,
    address: {
      address: {
        case: 'socketAddress',
        value: { address: binding.address, portSpecifier: { case: 'portValue', value: binding.port } },
      },
    },
    filterChains: [
      {
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            configType: {
              case: 'typedConfig',
              value: pack(HttpConnectionManagerSchema, connectionManager(binding)),
            },
          },
        ],
      },
    ],
    socketOptions: KEEPALIVE,
  });
}

function connectionManager({ name, accessLog }: ListenerBinding): HttpConnectionManager {
  return create(HttpConnectionManagerSchema, {
    statPrefix: name,
    codecType: HttpConnectionManager_CodecType.AUTO,
    routeSpecifier: { case: 'rds', value: { routeConfigName: name, configSource: OVER_ADS } },
    httpFilters: [
      {
        name: 'envoy.filters.http.router',
        configType: { case: 'typedConfig', value: pack(RouterSchema, create(RouterSchema)) },
      },
    ],
    // Websockets over HTTP/2 (RFC 8441).
    http2ProtocolOptions: { allowConnect: true },
    // Streams may be quiet for hours.
    streamIdleTimeout: duration(0),
    requestHeadersTimeout: duration(HEADERS_TIMEOUT),
    upgradeConfigs: [{ upgradeType: 'websocket' }],
    // The source address is the peer's, not what a header says.
    useRemoteAddress: true,
    serverHeaderTransformation: HttpConnectionManager_ServerHeaderTransformation.PASS_THROUGH,
    // Scopes compare paths; `/%61pi`, `/x/../api` and `/api` must be the same to them.
    normalizePath: true,
    pathWithEscapedSlashesAction: HttpConnectionManager_PathWithEscapedSlashesAction.KEEP_UNCHANGED,
    earlyHeaderMutationExtensions: [
      {
        name: 'envoy.http.early_header_mutation.header_mutation',
        typedConfig: pack(
          HeaderMutationSchema,
          create(HeaderMutationSchema, { mutations: OWN_HEADERS_REMOVED }),
        ),
      },
    ],
    localReplyConfig: localReplies(),
    accessLog: accessLogs(accessLog ? 'ToController' : 'OnlyByRuntime'),
    ...(accessLog ? { accessLogOptions: LOG_OF_OPEN_STREAMS } : {}),
  });
}

/**
 * Ours are set by proxies only. Envoy's own request headers could ask for retries that are not safe, or for timeouts.
 */
const OWN_HEADERS_REMOVED: NonNullable<MessageInitShape<typeof HeaderMutationSchema>['mutations']> = [
  'x-switchyard-',
  'x-envoy-',
].map((prefix) => ({
  action: {
    case: 'removeOnMatch',
    value: { keyMatcher: { matchPattern: { case: 'prefix', value: prefix }, ignoreCase: true } },
  },
}));

/**
 * TCP keepalive, which accepted connections inherit: the kernel finds clients that are gone, where nothing else would
 * end their streams. Levels and names are Linux's numbers: SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT.
 */
const KEEPALIVE: NonNullable<MessageInitShape<typeof ListenerSchema>['socketOptions']> = [
  socketOption('SO_KEEPALIVE', 1, 9, 1),
  socketOption('TCP_KEEPIDLE', 6, 4, 60),
  socketOption('TCP_KEEPINTVL', 6, 5, 10),
  socketOption('TCP_KEEPCNT', 6, 6, 6),
];

function socketOption(description: string, level: number, name: number, value: number) {
  return {
    description,
    level: BigInt(level),
    name: BigInt(name),
    value: { case: 'intValue' as const, value: BigInt(value) },
  };
}

function pack<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>) {
  return anyPack(schema, message);
}
