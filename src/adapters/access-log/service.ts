/**
 * Envoy's access log service on gRPC: a proxy opens a stream for each of its threads at its first report, says once who
 * it is, and is never answered. Whatever arrives is taken at once: a proxy that would have to wait drops reports.
 */
import { type ServerReadableStream, type ServiceDefinition, type sendUnaryData, status } from '@grpc/grpc-js';
import { AccessLogService } from '../../gen/envoy/service/accesslog/v3/als_pb.js';
import { RAW } from '../../grpc-server/raw.ts';

/** What is done with one stream. */
export interface LogStream {
  message(bytes: Uint8Array): void;
  /** It has ended, whoever ended it. Called once. */
  ended(): void;
}

/** A gRPC service as a server takes it. */
export interface AccessLogGrpcService {
  readonly definition: ServiceDefinition;
  readonly implementation: Record<string, (call: Call, answer: sendUnaryData<Buffer>) => void>;
}

type Call = ServerReadableStream<Buffer, Buffer>;

const METHOD = AccessLogService.method.streamAccessLogs;
/** The path of its one method. */
export const ACCESS_LOG_PATH = `/${AccessLogService.typeName}/${METHOD.name}`;
const EMPTY = Buffer.alloc(0);

/** Called for each stream; `breakOff` ends it, and the proxy opens another one then. */
export type OpenLog = (breakOff: () => void) => LogStream;

export function accessLogService(open: OpenLog): AccessLogGrpcService {
  return {
    definition: {
      [METHOD.name]: {
        path: ACCESS_LOG_PATH,
        requestStream: true,
        responseStream: false,
        ...RAW,
      },
    },
    implementation: {
      [METHOD.name]: (call, answer) => {
        const stream = open(() =>
          call.emit('error', { code: status.UNAVAILABLE, details: 'reports go elsewhere now' }),
        );
        let isOpen = true;
        const end = (): void => {
          if (!isOpen) return;
          isOpen = false;
          stream.ended();
        };
        call.on('data', (bytes: Buffer) => stream.message(bytes));
        call.on('end', () => {
          end();
          answer(null, EMPTY);
        });
        call.on('cancelled', end);
        call.on('error', end);
      },
    },
  };
}
