/** Carries the HTTP API of the workflow half, and its metrics, over the server of the instance. */
import type { ConnectNodeAdapterOptions } from '@connectrpc/connect-node';
import { COPY_HEADER, FencedError, type Instance, isCopy, PROXIED_HEADER } from '../instance.ts';
import { ApiError, type ApiRequest, jsonObject, LARGEST_BODY } from './api.ts';
import type { Engine } from './engine.ts';
import { answerExecutions } from './executions-api.ts';

type Handler = NonNullable<ConnectNodeAdapterOptions['fallback']>;
type Request = Parameters<Handler>[0];
type Response = Parameters<Handler>[1];

/** Whether a path is the workflow half's. */
export function isWorkflowPath(pathname: string): boolean {
  return /^\/executions(\/|$)/.test(pathname) || pathname === '/metrics';
}

/** Answers one request. Never rejects. */
export async function handleWorkflow(parts: {
  readonly instance: Instance;
  readonly engine: Engine;
  readonly request: Request;
  readonly response: Response;
  readonly url: URL;
}): Promise<void> {
  const { instance, engine, request, response, url } = parts;
  try {
    const isDirect = request.headers[PROXIED_HEADER] === undefined;
    if (url.pathname === '/metrics' && request.method === 'GET' && isDirect) {
      request.resume();
      const { contentType, body } = await engine.metrics.scrape();
      response.setHeader('content-type', contentType);
      response.end(body);
      return;
    }
    await answerApi({ instance, engine, request, response, url });
  } catch (error) {
    answerError({ instance, engine, response, error });
  }
}

async function answerApi(parts: Parameters<typeof handleWorkflow>[0]): Promise<void> {
  const { instance, engine, request, response, url } = parts;
  if (isCopy(request.headers[COPY_HEADER]) && request.method !== 'GET') {
    // Its client waits for the answer of another version, which does what was asked for.
    request.resume();
    answer(response, 200, { ...instance.identity, copy: true });
    return;
  }
  const begins = request.method === 'POST' && url.pathname === '/executions';
  const done = instance.begin({ kind: 'request', face: 'http', passesFence: !begins });
  try {
    const found = await answerExecutions(engine, await read(request, url));
    if (found === undefined)
      throw new ApiError(404, 'NOT_FOUND', `there is no ${request.method} ${url.pathname} here`);
    answer(response, found.status, found.body);
  } finally {
    done();
  }
}

function answerError(parts: {
  instance: Instance;
  engine: Engine;
  response: Response;
  error: unknown;
}): void {
  const { instance, engine, response, error } = parts;
  if (error instanceof ApiError) {
    const { status, code, message, retryAfter, problems } = error;
    if (retryAfter !== undefined) response.setHeader('retry-after', String(retryAfter));
    answer(response, status, { code, message, ...(problems !== undefined && { problems }) });
  } else if (error instanceof FencedError) {
    response.setHeader('retry-after', '1');
    answer(response, 503, { code: 'VERSION_FENCED', message: error.message, ...instance.identity });
  } else {
    engine.log.error({ err: error }, 'a request could not be answered');
    response.setHeader('retry-after', '1');
    answer(response, 503, { code: 'UNAVAILABLE', message: 'the store does not answer; try again' });
  }
}

async function read(request: Request, url: URL): Promise<ApiRequest> {
  const body = await bodyOf(request);
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    headers[name] = Array.isArray(value) ? value[0] : value;
  }
  return {
    method: request.method ?? 'GET',
    path: url.pathname
      .split('/')
      .filter((part) => part !== '')
      .map(decoded),
    query: url.searchParams,
    headers,
    isProxied: headers[PROXIED_HEADER] !== undefined,
    body,
    json: () => jsonObject(body),
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ApiError(400, 'INVALID_ARGUMENT', `${JSON.stringify(part)} is no part of a path`);
  }
}

/** What is too much is read to its end and kept nowhere, so that its sender gets the answer and can go on. */
function bodyOf(request: Request): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= LARGEST_BODY) chunks.push(chunk);
      else {
        chunks.length = 0;
        reject(new ApiError(413, 'TOO_LARGE', `the body is longer than ${LARGEST_BODY} bytes`));
      }
    });
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.once('error', reject);
    request.once('close', () => reject(new Error('its sender left before its end')));
  });
}

function answer(response: Response, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  response.end(`${JSON.stringify(body)}\n`);
}
