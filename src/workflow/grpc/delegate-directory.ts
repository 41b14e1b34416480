/**
 * `switchyard.work.v1.DelegateDirectoryService` over a workflow store, as a function from message to message: register it
 * with the gRPC server of your choice.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import type {
  DelegateRegistrationSchema,
  ListDelegatesRequest,
  ListDelegatesResponseSchema,
} from '../../gen/switchyard/work/v1/workflow_pb.js';
import { type Instant, instant } from '../../model/instant.ts';
import type { VersionName } from '../../model/names.ts';
import type { DelegateRegistration } from '../../model/workflow.ts';
import type { WorkflowStore } from '../../ports/workflow-store.ts';
import { InvalidRequestError } from './invalid-request.ts';
import { parseVersion } from './version-work.ts';

const DEFAULT_PAGE = 1_000;
const LARGEST_PAGE = 5_000;
const MOST_VERSIONS = 100;
const LONGEST_TOKEN = 1_000;

/** Throws InvalidRequestError (INVALID_ARGUMENT), or what the store throws. */
export interface DelegateDirectoryHandlers {
  listDelegates(request: ListDelegatesRequest): Promise<MessageInitShape<typeof ListDelegatesResponseSchema>>;
}

/** A list as it was when its first page was asked for. */
interface List {
  readonly question: string;
  readonly asOf: Instant;
  /** By name, so that what comes or goes moves nobody from one page to another. */
  readonly entries: readonly { readonly key: string; readonly delegate: DelegateRegistration }[];
}

export function delegateDirectoryHandlers(store: WorkflowStore): DelegateDirectoryHandlers {
  // Of thousands each page is a few: the store is read once for all pages of one list.
  let newest: List | undefined;
  return {
    async listDelegates(request) {
      const { since, size, versions, after } = parse(request);
      const question = JSON.stringify([since, versions]);
      const kept = after !== '' && newest?.question === question ? newest : undefined;
      const list = kept ?? { question, ...(await read(store, { since, versions })) };
      const rest = list.entries.filter(({ key }) => key > after);
      const page = rest.slice(0, size);
      const isLast = rest.length <= size;
      newest = isLast ? undefined : list;
      return {
        asOf: timestampFromMs(list.asOf),
        delegates: page.map(({ delegate }) => message(delegate)),
        nextPageToken: isLast ? '' : (page.at(-1)?.key ?? ''),
      };
    },
  };
}

async function read(
  store: WorkflowStore,
  { since, versions }: { readonly since: Instant; readonly versions: readonly VersionName[] },
): Promise<Omit<List, 'question'>> {
  const asOf = await store.now();
  const found =
    versions.length === 0
      ? await store.delegates({ since })
      : (await Promise.all(versions.map((version) => store.delegates({ since, version })))).flat();
  const entries = found
    .map((delegate) => ({ key: keyOf(delegate), delegate }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
  return { asOf, entries };
}

function parse({ since, pageSize, pageToken, versions }: ListDelegatesRequest) {
  if (since === undefined) throw new InvalidRequestError('since: a time is needed');
  const at = timestampMs(since);
  if (!Number.isFinite(at) || at < 0) throw new InvalidRequestError('since: must be 1970 or later');
  if (pageSize > LARGEST_PAGE) {
    throw new InvalidRequestError(`page_size: at most ${LARGEST_PAGE}, not ${pageSize}`);
  }
  if (versions.length > MOST_VERSIONS) {
    throw new InvalidRequestError(`versions: at most ${MOST_VERSIONS}, not ${versions.length}`);
  }
  if (pageToken.length > LONGEST_TOKEN) {
    throw new InvalidRequestError('page_token: is not one of this service');
  }
  return {
    since: instant(at),
    size: pageSize === 0 ? DEFAULT_PAGE : pageSize,
    versions: [...new Set(versions.map(parseVersion))],
    after: pageToken,
  };
}

function keyOf({ version, tenant, delegate }: DelegateRegistration): string {
  return JSON.stringify([version, tenant, delegate]);
}

function message(delegate: DelegateRegistration): MessageInitShape<typeof DelegateRegistrationSchema> {
  return {
    delegate: delegate.delegate,
    tenant: delegate.tenant,
    version: delegate.version,
    tags: [...delegate.tags],
    capacity: delegate.capacity,
    running: delegate.running,
    manager: delegate.manager,
    since: timestampFromMs(delegate.since),
    lastSeen: timestampFromMs(delegate.lastSeen),
  };
}
