/**
 * The watcher's own door on its box: HTTP on a Unix socket that only its user may open. `GET /status`, `POST /retry`
 * (`?version=`), `POST /upgrade` (a signed manifest; `?again=true`: although it was tried before).
 */
import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { VersionName } from '../model/names.ts';
import { isName, NAME_RULE, versionName } from '../model/names.ts';
import type { WatcherStatus } from '../model/watcher.ts';

export interface ControlHandlers {
  status(): WatcherStatus;
  /** Answers the versions that are tried again. */
  retry(version?: VersionName): Promise<readonly VersionName[]>;
  /** Answers one sentence. Throws where the manifest is refused. */
  upgrade(manifest: string, choice: { readonly again: boolean }): Promise<string>;
}

const MOST_BYTES = 128 * 1024;

/** Rejects where somebody else listens there. */
export async function startControl(
  path: string,
  handlers: ControlHandlers,
): Promise<{ close(): Promise<void> }> {
  if (await isAnswered(path)) throw new Error(`another watcher listens on ${path}`);
  await rm(path, { force: true });
  const server = createServer((request, response) => {
    void answer(request, handlers).then(
      (body) => send(response, 200, body),
      (error: Error) =>
        send(response, error instanceof BadRequestError ? 400 : 409, { message: error.message }),
    );
  });
  await listen(server, path);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

class BadRequestError extends Error {
  override readonly name = 'BadRequestError';
}

async function answer(request: IncomingMessage, handlers: ControlHandlers): Promise<unknown> {
  const url = new URL(request.url ?? '/', 'http://watcher');
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /status':
      return handlers.status();
    case 'POST /retry':
      return { versions: await handlers.retry(versionOf(url)) };
    case 'POST /upgrade':
      return {
        message: await handlers.upgrade(await bodyOf(request), {
          again: url.searchParams.get('again') === 'true',
        }),
      };
    default:
      throw new BadRequestError(`there is no ${request.method} ${url.pathname} here`);
  }
}

function versionOf(url: URL): VersionName | undefined {
  const version = url.searchParams.get('version');
  if (version === null) return undefined;
  if (!isName(version)) throw new BadRequestError(`version ${JSON.stringify(version)} must be ${NAME_RULE}`);
  return versionName(version);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new BadRequestError(`a manifest has at most ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function listen(server: Server, path: string): Promise<void> {
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(mask);
  }
  await chmod(path, 0o600);
}
