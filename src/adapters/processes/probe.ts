/**
 * One look at whether an instance takes requests: HTTP GET, gRPC health v1 or a TCP connect to 127.0.0.1. What to ask
 * enters, the answer leaves; nothing is thrown but what keeps us from asking, which says nothing of the instance.
 */
import { request } from 'node:http';
import { connect } from 'node:net';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import type { Milliseconds } from '../../model/instant.ts';
import type { Readiness } from '../../model/spec.ts';

export type ProbeResult =
  | { readonly kind: 'Passed'; readonly because: string }
  | { readonly kind: 'Failed'; readonly because: string };

const HOST = '127.0.0.1';

/** Asks once; an answer that is not there after `readiness.timeout` is a failure. Throws where we could not ask. */
export async function probe(question: {
  readiness: Readiness;
  port: number;
  signal: AbortSignal;
}): Promise<ProbeResult> {
  const { readiness, port } = question;
  const timeout = AbortSignal.timeout(readiness.timeout);
  const signal = AbortSignal.any([question.signal, timeout]);
  try {
    return { kind: 'Passed', because: await ask({ readiness, port, signal }) };
  } catch (error) {
    if (isOurOwn(error as Error)) throw error;
    const because = timeout.aborted ? `no answer within ${readiness.timeout} ms` : reasonOf(error as Error);
    return { kind: 'Failed', because: `${describe(readiness, port)}: ${because}` };
  }
}

interface Question {
  readonly readiness: Readiness;
  readonly port: number;
  readonly signal: AbortSignal;
}

async function ask({ readiness, port, signal }: Question): Promise<string> {
  switch (readiness.kind) {
    case 'http':
      return askHttp({ path: readiness.path, port, signal });
    case 'grpc':
      return askGrpc({ service: readiness.service, timeout: readiness.timeout, port, signal });
    case 'tcp':
      return askTcp({ port, signal });
  }
}

function askHttp({
  path,
  port,
  signal,
}: {
  path: string;
  port: number;
  signal: AbortSignal;
}): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request({
      host: HOST,
      port,
      path,
      agent: false,
      signal,
      headers: { 'user-agent': 'switchyard-probe' },
    });
    call.once('response', (response) => {
      response.destroy();
      const status = response.statusCode ?? 0;
      if (status >= 200 && status < 300) resolve(`GET ${path} answered ${status}`);
      else reject(new Error(`answered ${status}, which is not 200 to 299`));
    });
    call.on('error', reject);
    call.end();
  });
}

function askTcp({ port, signal }: { port: number; signal: AbortSignal }): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: HOST, port, signal });
    socket.once('connect', () => {
      socket.destroy();
      resolve(`port ${port} accepts connections`);
    });
    socket.on('error', reject);
  });
}

interface GrpcQuestion {
  readonly service: string;
  readonly timeout: Milliseconds;
  readonly port: number;
  readonly signal: AbortSignal;
}

async function askGrpc({ service, timeout, port, signal }: GrpcQuestion): Promise<string> {
  const check = healthService['Check'];
  if (check === undefined) throw new Error('the gRPC health service has no method Check');
  // No proxy and no shared channel: a probe asks this instance, now.
  const client = new Client(`${HOST}:${port}`, credentials.createInsecure(), {
    'grpc.enable_http_proxy': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
  });
  try {
    return await new Promise((resolve, reject) => {
      const call = client.makeUnaryRequest<object, { status?: string }>(
        check.path,
        check.requestSerialize,
        check.responseDeserialize as (bytes: Buffer) => { status?: string },
        { service },
        { deadline: Date.now() + timeout },
        (error: ServiceError | null, answer) => {
          const status = answer?.status ?? 'nothing';
          if (error !== null) reject(error);
          else if (status === 'SERVING') resolve(`gRPC health of ${serviceLabel(service)} is SERVING`);
          else reject(new Error(`answered ${status}`));
        },
      );
      signal.addEventListener('abort', () => call.cancel(), { once: true });
    });
  } finally {
    client.close();
  }
}

function describe(readiness: Readiness, port: number): string {
  switch (readiness.kind) {
    case 'http':
      return `GET http://${HOST}:${port}${readiness.path}`;
    case 'grpc':
      return `gRPC health of ${serviceLabel(readiness.service)} on port ${port}`;
    case 'tcp':
      return `TCP connect to port ${port}`;
  }
}

function serviceLabel(service: string): string {
  return service === '' ? 'the server' : service;
}

/** Whether this process lacked what it takes to ask: file descriptors, memory, local ports. */
function isOurOwn(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return ['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EADDRNOTAVAIL'].includes(code ?? '');
}

function reasonOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return 'nothing listens there';
  return error.message;
}
