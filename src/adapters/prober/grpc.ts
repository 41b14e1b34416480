/** A probe with the gRPC health protocol (grpc.health.v1): SERVING passes, any other answer does not. */
import { Client, credentials, status as grpcStatus, Metadata, type ServiceError } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import type { ProbeMetric } from '../../model/check.ts';
import type { Instance } from '../../model/instance.ts';
import { instanceLabel } from '../instance-round.ts';
import type { InstanceAnswer } from './verdict.ts';

/** Codes that say that nobody answered the question, rather than that the answer is bad. */
const UNANSWERED: readonly number[] = [
  grpcStatus.UNAVAILABLE,
  grpcStatus.DEADLINE_EXCEEDED,
  grpcStatus.CANCELLED,
  grpcStatus.UNIMPLEMENTED,
];

export interface GrpcProbe {
  readonly metric: Extract<ProbeMetric, { kind: 'grpc' }>;
  readonly instance: Instance;
  readonly pinHeader: string;
  readonly signal: AbortSignal;
}

/** Rejects where no answer came, or the instance has no health service. */
export async function probeGrpc(probe: GrpcProbe): Promise<InstanceAnswer> {
  const { metric, instance, signal } = probe;
  const asked = `gRPC health of ${metric.service === '' ? 'the server' : metric.service}`;
  const label = instanceLabel(instance);
  try {
    const serving = await healthOf(probe);
    return { isGood: serving === 'SERVING', detail: `${label}: ${asked} is ${serving}` };
  } catch (error) {
    if (signal.aborted) throw new Error('the round was ended before it answered', { cause: error });
    const { code, details } = error as ServiceError;
    if (typeof code !== 'number' || UNANSWERED.includes(code)) throw explained(error, metric.timeout);
    return { isGood: false, detail: `${label}: ${asked} answered ${grpcStatus[code]}: ${details}` };
  }
}

async function healthOf({ metric, instance, pinHeader, signal }: GrpcProbe): Promise<string> {
  const check = healthService['Check'];
  if (check === undefined) throw new Error('the gRPC health service has no method Check');
  const { host, port } = instance.address;
  // No proxy and no shared channel: a probe asks this instance, now.
  const client = new Client(
    host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    credentials.createInsecure(),
    { 'grpc.enable_http_proxy': 0, 'grpc.use_local_subchannel_pool': 1, 'grpc.enable_retries': 0 },
  );
  const metadata = new Metadata();
  metadata.set(pinHeader, instance.version);
  try {
    return await new Promise((resolve, reject) => {
      const call = client.makeUnaryRequest<object, { status?: string }>(
        check.path,
        check.requestSerialize,
        check.responseDeserialize as (bytes: Buffer) => { status?: string },
        { service: metric.service },
        metadata,
        { deadline: Date.now() + metric.timeout },
        (error, answer) => (error === null ? resolve(answer?.status ?? 'UNKNOWN') : reject(error)),
      );
      const cancel = () => call.cancel();
      if (signal.aborted) cancel();
      signal.addEventListener('abort', cancel, { once: true });
    });
  } finally {
    client.close();
  }
}

function explained(error: unknown, timeout: number): Error {
  const { code, details, message } = error as ServiceError;
  if (code === grpcStatus.DEADLINE_EXCEEDED)
    return new Error(`no answer within ${timeout} ms`, { cause: error });
  if (code === grpcStatus.UNIMPLEMENTED) {
    return new Error('it has no gRPC health service (grpc.health.v1)', { cause: error });
  }
  return new Error(details === undefined ? message : details, { cause: error });
}
