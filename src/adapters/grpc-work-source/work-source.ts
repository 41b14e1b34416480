/**
 * The WorkSource port over gRPC: every instance of a version is asked by switchyard.work.v1.WorkService, in one round,
 * at its own address.
 */
import { WorkService } from '../../gen/switchyard/work/v1/work_pb.js';
import type { Instance } from '../../model/instance.ts';
import type { Milliseconds } from '../../model/instant.ts';
import type { WorkRequest, WorkSource } from '../../ports/work-source.ts';
import { callGrpc } from '../grpc-call.ts';
import { CONCURRENCY } from '../instance-round.ts';
import { workSourceOf } from '../work-rounds.ts';
import { readCount, requireVersion } from './answer.ts';

/** The bounds of a round. */
export interface GrpcWorkSourceOptions {
  /** For each call. Default 2,000. */
  readonly timeout?: Milliseconds;
  /** For each answer. Default 1 MiB. */
  readonly maxBytes?: number;
  /** Calls at a time. Default 32. */
  readonly concurrency?: number;
}

/** Asks instances over gRPC without TLS at their own address. */
export function createGrpcWorkSource(options: GrpcWorkSourceOptions = {}): WorkSource {
  const { timeout = 2000, maxBytes = 1024 * 1024, concurrency = CONCURRENCY } = options;
  const asking = ({ signal }: WorkRequest, { address, version }: Instance) => ({
    address,
    request: { version },
    timeout,
    maxBytes,
    signal,
  });

  return workSourceOf(
    {
      async fence(request, instance) {
        const { version } = await callGrpc({
          ...asking(request, instance),
          method: WorkService.method.fence,
        });
        requireVersion(version, instance);
      },
      async lift(request, instance) {
        const { version } = await callGrpc({ ...asking(request, instance), method: WorkService.method.lift });
        requireVersion(version, instance);
      },
      async count(request, instance) {
        const answer = await callGrpc({ ...asking(request, instance), method: WorkService.method.count });
        return readCount(answer, instance);
      },
    },
    concurrency,
  );
}
