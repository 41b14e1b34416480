/** One list and one watch of a kind, as the API server gives them. What to do when they end is reflector.ts' business. */
import { StringDecoder } from 'node:string_decoder';
import type { Milliseconds } from '../../../model/instant.ts';
import type { KubernetesApi } from './api.ts';
import { errorOf } from './api-error.ts';
import { apiVersionOf, type Kind, type KubernetesObject, pathOf } from './objects.ts';

/** Which objects. */
export interface Selection {
  readonly kind: Kind;
  /** Absent: of all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  /** Who manages which field is kept: it is as large as the object, so only for those who look at it. */
  readonly keepsManagers?: boolean;
}

export interface Listed<Item> {
  readonly items: readonly Item[];
  /** Where a watch goes on from. */
  readonly resourceVersion: string;
}

export type WatchEvent<Item> =
  | { readonly kind: 'Changed'; readonly object: Item; readonly resourceVersion: string }
  | { readonly kind: 'Deleted'; readonly object: Item; readonly resourceVersion: string }
  /** Nothing up to here has changed; a quiet watch would otherwise fall behind what the server remembers. */
  | { readonly kind: 'Bookmark'; readonly resourceVersion: string };

/** Objects in one answer. */
const PAGE = 500;
/** A server sends a bookmark about every minute; a connection that is silent for longer is dead. */
const LONGEST_SILENCE: Milliseconds = 100_000;
/** No object of etcd is larger than a megabyte or two. */
const LONGEST_LINE = 8 * 1024 * 1024;

/** All objects, page by page, as they were at one moment. Rejects as the API does. */
export async function list<Item extends KubernetesObject>(
  api: KubernetesApi,
  { kind, namespace, labelSelector, keepsManagers = false }: Selection,
  signal: AbortSignal,
): Promise<Listed<Item>> {
  const items: Item[] = [];
  let next: string | undefined;
  for (;;) {
    const page = await api.json<{
      readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
      readonly items: readonly Item[];
    }>({
      method: 'GET',
      path: pathOf(kind, namespace === undefined ? {} : { namespace }),
      query: { limit: PAGE, labelSelector, continue: next },
      signal,
    });
    // The items of a list lack what they all have in common.
    const common = { apiVersion: apiVersionOf(kind), kind: kind.kind };
    items.push(...page.items.map((item) => slim({ ...common, ...item }, keepsManagers)));
    next = page.metadata.continue;
    if (next === undefined || next === '') return { items, resourceVersion: page.metadata.resourceVersion };
  }
}

/** What happens after `from`, until the server ends it after `lasting`. Throws as the API does, and the error that the watch tells. */
export async function* watch<Item extends KubernetesObject>(
  api: KubernetesApi,
  selection: Selection & { readonly from: string; readonly lasting: Milliseconds },
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<Item>, void> {
  const { kind, namespace, labelSelector, keepsManagers = false, from, lasting } = selection;
  const path = pathOf(kind, namespace === undefined ? {} : { namespace });
  const response = await api.open(
    {
      method: 'GET',
      path,
      query: {
        watch: true,
        allowWatchBookmarks: true,
        resourceVersion: from,
        timeoutSeconds: Math.ceil(lasting / 1_000),
        labelSelector,
      },
      signal,
    },
    LONGEST_SILENCE,
  );
  try {
    for await (const line of linesOf(response))
      yield eventOf<Item>(line, { asked: `watch ${path}`, keepsManagers });
  } finally {
    response.destroy();
  }
}

function eventOf<Item extends KubernetesObject>(
  line: string,
  { asked, keepsManagers }: { readonly asked: string; readonly keepsManagers: boolean },
): WatchEvent<Item> {
  const { type, object } = JSON.parse(line) as { readonly type: string; readonly object: Item };
  const resourceVersion = object.metadata?.resourceVersion ?? '';
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      return { kind: 'Changed', object: slim(object, keepsManagers), resourceVersion };
    case 'DELETED':
      return { kind: 'Deleted', object: slim(object, keepsManagers), resourceVersion };
    case 'BOOKMARK':
      return { kind: 'Bookmark', resourceVersion };
    case 'ERROR':
      throw errorOf({ code: 500, body: JSON.stringify(object), asked });
    default:
      throw new Error(`${asked}: an event of the unknown type ${JSON.stringify(type)}`);
  }
}

/** Who manages which field is as large as the object, and nothing that most look at. */
export function slim<Item extends KubernetesObject>(object: Item, keepsManagers = false): Item {
  if (keepsManagers) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

async function* linesOf(response: AsyncIterable<Buffer>): AsyncGenerator<string, void> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of response) {
    const parts = (rest + decoder.write(chunk)).split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > LONGEST_LINE)
      throw new Error(`a watch told of an object of more than ${LONGEST_LINE} bytes`);
    for (const line of parts) if (line.trim() !== '') yield line;
  }
}
