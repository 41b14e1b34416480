/**
 * The WorkSource port over switchyard.work.v1.VersionWorkService: the instances keep their work in one store, so one
 * answer of any of them fences, lifts or counts a version, also one whose own instances are dead. Fence and count are
 * one transaction.
 */
import { VersionWorkService } from '../../gen/switchyard/work/v1/workflow_pb.js';
import type { Instance } from '../../model/instance.ts';
import type { Milliseconds } from '../../model/instant.ts';
import type { FenceOutcome, WorkRequest, WorkSource } from '../../ports/work-source.ts';
import { type Asked, askAny } from '../ask-any.ts';
import { callGrpc } from '../grpc-call.ts';
import { readWork, requireVersion } from './answer.ts';

/** The bounds of a round. */
export interface WorkflowWorkSourceOptions {
  /** For each call. Default 2,000. */
  readonly timeout?: Milliseconds;
  /** How long an instance may be silent before another is asked too. Default 500. */
  readonly patience?: Milliseconds;
  /** For each answer. Default 1 MiB. */
  readonly maxBytes?: number;
}

/** What the calls to one instance have in common. */
interface Call {
  readonly address: Instance['address'];
  readonly request: { readonly version: string };
  readonly timeout: Milliseconds;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** Asks instances over gRPC without TLS at their own address: those of the version first, then any other. */
export function createWorkflowWorkSource(options: WorkflowWorkSourceOptions = {}): WorkSource {
  const { timeout = 2_000, patience = 500, maxBytes = 1024 * 1024 } = options;
  let round = 0;

  const asked = <T>(
    { instances, peers, version, signal }: WorkRequest,
    ask: (call: Call, instance: Instance) => Promise<T>,
  ): Promise<Asked<T>> =>
    askAny({
      candidates: { own: instances, others: peers },
      round: round++,
      ask: (instance, ended) =>
        ask({ address: instance.address, request: { version }, timeout, maxBytes, signal: ended }, instance),
      patience,
      signal,
    });

  return {
    async fence(request) {
      const answer = await asked(request, async (call, instance) => {
        const { work } = await callGrpc({ ...call, method: VersionWorkService.method.fenceAndCount });
        if (work !== undefined && work.fencedSince === undefined)
          throw new Error('fenced_since is absent, so the version is not fenced');
        return readWork(work, request.version, instance);
      });
      return answer.kind === 'answered'
        ? { kind: 'confirmed', counted: answer.value }
        : unconfirmed(answer.reason);
    },
    async lift(request) {
      const answer = await asked(request, async (call) => {
        const { version } = await callGrpc({ ...call, method: VersionWorkService.method.liftVersion });
        requireVersion(version, request.version);
      });
      return answer.kind === 'answered' ? { kind: 'confirmed' } : unconfirmed(answer.reason);
    },
    async count(request) {
      const answer = await asked(request, async (call, instance) => {
        const { work } = await callGrpc({ ...call, method: VersionWorkService.method.countVersion });
        return readWork(work, request.version, instance);
      });
      return answer.kind === 'answered' ? answer.value : { kind: 'unknown', reason: answer.reason };
    },
  };
}

function unconfirmed(reason: string): FenceOutcome {
  return { kind: 'unconfirmed', reasons: [reason] };
}
