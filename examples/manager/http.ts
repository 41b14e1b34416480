/**
 * The plain HTTP face of the example manager, the same over HTTP/1.1 and HTTP/2. Requests that are no gRPC call come
 * here; what leaves is JSON that names the version and instance, or a stream of such lines.
 */
import type { ConnectNodeAdapterOptions } from '@connectrpc/connect-node';
import { COPY_HEADER, FencedError, type Instance, isCopy, PROXIED_HEADER } from './instance.ts';
import type { Engine } from './workflow/engine.ts';
import { handleWorkflow, isWorkflowPath } from './workflow/http.ts';

/** Requests and responses of `node:http` and `node:http2` alike. */
type Handler = NonNullable<ConnectNodeAdapterOptions['fallback']>;
type Request = Parameters<Handler>[0];
type Response = Parameters<Handler>[1];

interface Exchange {
  readonly instance: Instance;
  readonly request: Request;
  readonly response: Response;
  readonly query: URLSearchParams;
}

const ROUTES: Readonly<Record<string, (exchange: Exchange) => void>> = {
  'GET /': answerWhoAmI,
  'GET /slow': answerSlowly,
  'GET /stream': streamTicks,
  'GET /healthz': answerHealth,
};

/** Switchyard calls these on the instance's own port; no proxy may pass them on. */
const CONTROL_ROUTES: Readonly<Record<string, (exchange: Exchange) => void>> = {
  'POST /switchyard/drain': ({ instance, response }) => {
    instance.fence();
    answer(response, 200, { ...instance.identity, fenced: true });
  },
  'DELETE /switchyard/drain': ({ instance, response }) => {
    instance.lift();
    answer(response, 200, { ...instance.identity, fenced: false });
  },
  'GET /switchyard/work': ({ instance, response }) => answer(response, 200, instance.report()),
};

/** Answers one plain HTTP request. Without an engine there are no executions. */
export function handleHttp(
  { instance, engine }: { readonly instance: Instance; readonly engine: Engine | undefined },
  request: Request,
  response: Response,
): void {
  const url = URL.parse(request.url ?? '/', 'http://instance');
  if (url !== null && engine !== undefined && isWorkflowPath(url.pathname)) {
    void handleWorkflow({ instance, engine, request, response, url });
    return;
  }
  request.resume();
  if (url === null) {
    answer(response, 400, { code: 'INVALID_ARGUMENT', message: `${JSON.stringify(request.url)} is no path` });
    return;
  }
  const key = `${request.method} ${url.pathname}`;
  const direct = request.headers[PROXIED_HEADER] === undefined;
  const route = ROUTES[key] ?? (direct ? CONTROL_ROUTES[key] : undefined);
  if (route === undefined) {
    answer(response, 404, { code: 'NOT_FOUND', message: `there is no ${key} here` });
    return;
  }
  try {
    route({ instance, request, response, query: url.searchParams });
  } catch (error) {
    if (error instanceof FencedError) {
      response.setHeader('retry-after', '1');
      answer(response, 503, { code: 'DRAINING', message: error.message, ...instance.identity });
    } else if (error instanceof RangeError) {
      answer(response, 400, { code: 'INVALID_ARGUMENT', message: error.message });
    } else {
      throw error;
    }
  }
}

function copied(request: Request): boolean {
  return isCopy(request.headers[COPY_HEADER]);
}

function answer(response: Response, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  response.end(`${JSON.stringify(body)}\n`);
}

function answerWhoAmI({ instance, request, response }: Exchange): void {
  const isACopy = copied(request);
  const done = instance.begin({ kind: 'request', face: 'http', passesFence: true, isCopy: isACopy });
  response.once('close', done);
  const { fails, delayMs } = instance.nextFate({ isCopy: isACopy });
  const reply = (): void => {
    if (fails)
      answer(response, 500, { code: 'INTERNAL', message: 'this release is bad', ...instance.identity });
    else answer(response, 200, { ...instance.identity, tenant: request.headers['x-tenant-id'] ?? '' });
  };
  if (delayMs === 0) reply();
  else setTimeout(reply, delayMs);
}

function answerSlowly({ instance, request, response, query }: Exchange): void {
  const length = milliseconds({ query, name: 'ms', otherwise: 1000, least: 0 });
  const done = instance.begin({ kind: 'request', face: 'http', isCopy: copied(request) });
  const timer = setTimeout(() => answer(response, 200, { ...instance.identity, waitedMs: length }), length);
  response.once('close', () => {
    clearTimeout(timer);
    done();
  });
}

function streamTicks({ instance, request, response, query }: Exchange): void {
  const interval = milliseconds({ query, name: 'ms', otherwise: 1000, least: 10 });
  const done = instance.begin({ kind: 'stream', face: 'http', isCopy: copied(request) });
  response.statusCode = 200;
  response.setHeader('content-type', 'application/x-ndjson');
  let sequence = 0;
  const tick = () => {
    // A reader that lags misses ticks; it does not fill our memory.
    if (response.writableLength > 65_536) return;
    response.write(`${JSON.stringify({ ...instance.identity, sequence, draining: instance.fenced })}\n`);
    sequence += 1;
  };
  tick();
  const timer = setInterval(tick, interval);
  const stopListening = instance.onDraining(tick);
  response.once('close', () => {
    clearInterval(timer);
    stopListening();
    done();
  });
}

function answerHealth({ instance, response }: Exchange): void {
  // A fenced instance is still healthy: its open work must go on.
  answer(response, 200, { ...instance.identity, healthy: true, fenced: instance.fenced });
}

function milliseconds(wanted: {
  query: URLSearchParams;
  name: string;
  otherwise: number;
  least: number;
}): number {
  const text = wanted.query.get(wanted.name);
  if (text === null) return wanted.otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < wanted.least || value > 3_600_000) {
    throw new RangeError(
      `${wanted.name} must be whole milliseconds, ${wanted.least} to 3600000, not ${JSON.stringify(text)}`,
    );
  }
  return value;
}
