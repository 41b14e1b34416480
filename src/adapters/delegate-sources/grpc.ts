/**
 * The DelegateSource port over switchyard.work.v1.DelegateDirectoryService: the instances share one store, so any of them
 * names the delegates of all versions, page by page. Half a list is no answer.
 */
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  DelegateDirectoryService,
  type ListDelegatesResponse,
} from '../../gen/switchyard/work/v1/workflow_pb.js';
import type { DelegateAnswer } from '../../model/delegates.ts';
import type { Instance } from '../../model/instance.ts';
import { type Instant, instant, type Milliseconds } from '../../model/instant.ts';
import type { DelegateRegistration } from '../../model/workflow.ts';
import type { DelegateRequest, DelegateSource } from '../../ports/delegate-source.ts';
import { askAny } from '../ask-any.ts';
import { callGrpc } from '../grpc-call.ts';
import { readRegistration, timeOf } from './answer.ts';

/** The bounds of a round. */
export interface GrpcDelegateSourceOptions {
  /** For each page. Default 2,000. */
  readonly timeout?: Milliseconds;
  /** How long an instance may be silent before another is asked too: a list takes several pages. Default 2,000. */
  readonly patience?: Milliseconds;
  /** For each page. Default 8 MiB. */
  readonly maxBytes?: number;
  /** Delegates in one page, at most 5,000. Default 2,000. */
  readonly pageSize?: number;
  /** In all; a service with more is unknown. Default 200,000. */
  readonly most?: number;
}

/** Asks instances over gRPC without TLS at their own address: those of the asked versions first, then any other. */
export function createGrpcDelegateSource(options: GrpcDelegateSourceOptions = {}): DelegateSource {
  const bounds = {
    timeout: 2_000,
    patience: 2_000,
    maxBytes: 8 * 1024 * 1024,
    pageSize: 2_000,
    most: 200_000,
    ...options,
  };
  let round = 0;
  return {
    async delegates(request) {
      const { instances, versions, signal } = request;
      const isOwn = ({ version }: Instance): boolean => versions.includes(version);
      const asked = await askAny({
        candidates: {
          own: instances.filter(isOwn),
          others: instances.filter((instance) => !isOwn(instance)),
        },
        round: round++,
        ask: (instance, ended) => listAll({ request, instance, signal: ended, bounds }),
        patience: bounds.patience,
        signal,
      });
      return asked.kind === 'answered' ? asked.value : { kind: 'unknown', reason: asked.reason };
    },
  };
}

/** All pages of one instance, as of the first. Rejects where one of them is not as it should be. */
async function listAll(list: {
  readonly request: DelegateRequest;
  readonly instance: Instance;
  readonly signal: AbortSignal;
  readonly bounds: Required<GrpcDelegateSourceOptions>;
}): Promise<DelegateAnswer> {
  const { request, instance, signal, bounds } = list;
  const { timeout, maxBytes, pageSize, most } = bounds;
  const found = new Map<string, DelegateRegistration>();
  const tokens = new Set<string>();
  let asOf: Instant | undefined;
  let pageToken = '';
  do {
    tokens.add(pageToken);
    const page: ListDelegatesResponse = await callGrpc({
      address: instance.address,
      method: DelegateDirectoryService.method.listDelegates,
      request: {
        since: timestampFromMs(request.since),
        versions: [...request.versions],
        pageSize,
        pageToken,
      },
      timeout,
      maxBytes,
      signal,
    });
    asOf ??= timeOf('as_of', page.asOf);
    for (const message of page.delegates) {
      const delegate = readRegistration(message);
      if (!request.versions.includes(delegate.version) || delegate.lastSeen < request.since) continue;
      found.set(JSON.stringify([delegate.version, delegate.tenant, delegate.delegate]), delegate);
    }
    if (found.size > most) throw new Error(`it lists more than ${most} delegates, which is too many`);
    pageToken = page.nextPageToken;
    if (tokens.has(pageToken) && pageToken !== '')
      throw new Error('it gives a page a second time, so its list has no end');
  } while (pageToken !== '');
  return { kind: 'named', asOf: asOf ?? instant(0), delegates: [...found.values()] };
}
