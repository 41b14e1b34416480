/** An API server that answers as it is told, for what a real one does only on a bad day: plain HTTP on loopback. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { onTestFinished } from 'vitest';

export type Answer = (response: ServerResponse, request: IncomingMessage) => void;

export interface ScriptedServer {
  readonly config: KubeConfig;
  /** Requests so far, the newest last. */
  readonly asked: readonly IncomingMessage[];
  /** Connections that are open now. */
  connections(): Promise<number>;
}

/** Starts it. Each request takes the next answer; the last one is for all that follow. */
export async function scriptedServer(
  answers: readonly [Answer, ...Answer[]],
  user: object = {},
): Promise<ScriptedServer> {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    answers[Math.min(asked.length, answers.length) - 1]?.(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [
      {
        name: 'scripted',
        server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        skipTLSVerify: true,
      },
    ],
    users: [{ name: 'test', ...user }],
    contexts: [{ name: 'test', cluster: 'scripted', user: 'test' }],
    currentContext: 'test',
  });
  return {
    config,
    asked,
    connections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
      ),
  };
}

/** Writes a Status with its HTTP code. */
export function status(code: number, more: object = {}): Answer {
  return (response) => {
    response.writeHead(code, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ kind: 'Status', code, ...more }));
  };
}

/** Writes an empty list at a resource version. */
export function emptyList(resourceVersion: string, items: readonly object[] = []): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ metadata: { resourceVersion }, items }));
  };
}

/** Begins a watch, writes these lines, and ends it or leaves it open. */
export function watching(lines: readonly (object | string)[], end: 'ends' | 'stays open'): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    for (const line of lines) response.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
    if (end === 'ends') response.end();
  };
}
