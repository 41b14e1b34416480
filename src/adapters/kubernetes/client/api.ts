/**
 * Requests to a Kubernetes API server, in plain JSON. The client library reads kubeconfigs and gives each request its
 * credentials, which may change while we run; what is sent and what comes back is left as it is.
 */
import { once } from 'node:events';
import { type RequestOptions as HttpOptions, request as http, type IncomingMessage } from 'node:http';
import { request as https, type RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Milliseconds } from '../../../model/instant.ts';
import { errorOf } from './api-error.ts';
import { type Kind, type KubernetesObject, type ObjectPlace, pathOf } from './objects.ts';

export interface Ask {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the server's root, without a query. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** Of the body; default `application/json`. */
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
}

/** How long an answer may take to begin and to go on. A watch has its own. */
const TIMEOUT: Milliseconds = 30_000;
/** No answer that we ask for is larger; lists come in pages. */
const MOST_BYTES = 256 * 1024 * 1024;

/** Who writes fields: never changed, since it owns them on the server. */
export type FieldManager =
  | 'switchyard'
  /** Holds a field for whoever changes it next: an autoscaler that has not scaled yet. */
  | 'switchyard-handover'
  | 'switchyard-controller'
  | 'switchyard-status'
  | 'switchyard-cli';

export class KubernetesApi {
  readonly #config: KubeConfig;
  readonly #server: string;

  /** Throws Error where the kubeconfig names no cluster. */
  constructor(config: KubeConfig) {
    const cluster = config.getCurrentCluster();
    if (cluster === null) {
      throw new Error(
        `the kubeconfig names no cluster: its current context is ${JSON.stringify(config.currentContext)}`,
      );
    }
    this.#config = config;
    this.#server = cluster.server;
  }

  /** As the API server is reached. */
  get server(): string {
    return this.#server;
  }

  get<Read extends KubernetesObject>(kind: Kind, place: ObjectPlace, signal?: AbortSignal): Promise<Read> {
    return this.json<Read>({ method: 'GET', path: pathOf(kind, place), signal });
  }

  create<Made extends KubernetesObject>(kind: Kind, place: ObjectPlace, body: unknown): Promise<Made> {
    return this.json<Made>({ method: 'POST', path: pathOf(kind, place), body });
  }

  /**
   * Server-side apply: the fields that are given become ours, those that we gave before and do not give now go. Without
   * `force` another owner's different opinion is a conflict. With a resourceVersion in its metadata it is refused where the
   * object has changed since.
   */
  apply<Applied extends KubernetesObject>(
    kind: Kind,
    place: ObjectPlace,
    change: { readonly object: KubernetesObject; readonly manager: FieldManager; readonly force: boolean },
  ): Promise<Applied> {
    return this.json<Applied>({
      method: 'PATCH',
      path: pathOf(kind, place),
      query: { fieldManager: change.manager, force: change.force },
      body: change.object,
      contentType: 'application/apply-patch+yaml',
    });
  }

  /** A JSON merge patch: the fields that are given become so, those that are null go. With a resourceVersion as in `apply`. */
  merge<Merged extends KubernetesObject>(
    kind: Kind,
    place: ObjectPlace,
    body: object,
    manager: FieldManager,
  ): Promise<Merged> {
    return this.json<Merged>({
      method: 'PATCH',
      path: pathOf(kind, place),
      query: { fieldManager: manager },
      body,
      contentType: 'application/merge-patch+json',
    });
  }

  /** Replaces an object that was read: refused with a conflict where it has changed since. */
  replace<Replaced extends KubernetesObject>(
    kind: Kind,
    place: ObjectPlace,
    object: Replaced,
    manager?: FieldManager,
  ): Promise<Replaced> {
    return this.json<Replaced>({
      method: 'PUT',
      path: pathOf(kind, place),
      query: { fieldManager: manager },
      body: object,
    });
  }

  delete(
    kind: Kind,
    place: ObjectPlace,
    options: { readonly uid?: string; readonly propagation?: 'Foreground' | 'Background' | 'Orphan' } = {},
  ): Promise<unknown> {
    const { uid, propagation = 'Background' } = options;
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: propagation,
      ...(uid === undefined ? {} : { preconditions: { uid } }),
    };
    return this.json({ method: 'DELETE', path: pathOf(kind, place), body });
  }

  /** An answer of JSON. Rejects with KubernetesApiError, or with the connection's error. */
  async json<Answer>(ask: Ask): Promise<Answer> {
    const response = await this.open(ask, TIMEOUT);
    const text = await textOf(response);
    try {
      return JSON.parse(text) as Answer;
    } catch {
      throw new Error(`${askedOf(ask)}: the answer is no JSON: ${text.slice(0, 200)}`);
    }
  }

  /**
   * A response that is about to be read, with a status of 200 to 299; `silence` is the longest time without a byte. Rejects
   * with KubernetesApiError, or with the connection's error.
   */
  async open(ask: Ask, silence: Milliseconds): Promise<IncomingMessage> {
    const { method, body, contentType = 'application/json', signal } = ask;
    const url = this.#urlOf(ask);
    const text = body === undefined ? undefined : JSON.stringify(body);
    const options: RequestOptions = {
      method,
      headers: {
        accept: 'application/json',
        ...(text === undefined
          ? {}
          : { 'content-type': contentType, 'content-length': Buffer.byteLength(text) }),
      },
      ...(signal === undefined ? {} : { signal }),
    };
    await this.#config.applyToHTTPSOptions(options);
    const sent = url.protocol === 'http:' ? http(url, options as HttpOptions) : https(url, options);
    let response: IncomingMessage | undefined;
    sent.setTimeout(silence, () => {
      const error = new Error(`${askedOf(ask)}: nothing was heard for ${silence / 1_000} s`);
      (response ?? sent).destroy(error);
    });
    // Once it is answered, whoever reads the answer is told of what breaks; here nobody listens any more.
    sent.on('error', () => undefined);
    sent.end(text);
    [response] = (await once(sent, 'response')) as [IncomingMessage];
    const code = response.statusCode ?? 0;
    if (code >= 200 && code < 300) return response;
    const retryAfter = response.headers['retry-after'];
    throw errorOf({ code, body: await textOf(response), retryAfter, asked: askedOf(ask) });
  }

  /** What a request that becomes another kind of connection is sent with: its place, and our credentials. */
  async upgrade(
    ask: Pick<Ask, 'path' | 'query'>,
  ): Promise<{ readonly url: URL; readonly options: RequestOptions }> {
    const options: RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    return { url: this.#urlOf(ask), options };
  }

  #urlOf({ path, query = {} }: Pick<Ask, 'path' | 'query'>): URL {
    const url = new URL(this.#server.replace(/\/$/, '') + path);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return url;
  }
}

function askedOf({ method, path }: Pick<Ask, 'method' | 'path'>): string {
  return `${method} ${path}`;
}

/** The whole body of an answer. Rejects where it is too large. */
export async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error(`the answer has more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
