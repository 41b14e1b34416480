/** An instance over HTTP/2 that fails on command, for tests of what a proxy makes of it. */
import { constants, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { SocketAddress } from '../../src/model/spec.ts';

const { HTTP2_HEADER_STATUS } = constants;

/** An instance that does what the path says: answers with a status, ends a gRPC call, cuts its answer, or goes on for ever. */
export async function startSpecial(): Promise<{ readonly address: SocketAddress; close(): void }> {
  const server = createServer();
  server.on('session', (session) => session.on('error', () => session.destroy()));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    behave(stream, String(headers[':path']));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    close: () => void server.close(),
  };
}

function behave(stream: ServerHttp2Stream, path: string): void {
  const [, what, detail = ''] = path.split('/');
  if (what === 'status') {
    stream.respond({ [HTTP2_HEADER_STATUS]: Number(detail) }, { endStream: true });
  } else if (what === 'grpc') {
    stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': detail }));
    stream.end('message');
  } else if (what === 'headers-only') {
    stream.respond({ 'content-type': 'application/grpc', 'grpc-status': detail }, { endStream: true });
  } else if (what === 'cut') {
    stream.respond({});
    stream.write('the first part');
    setTimeout(() => stream.destroy(new Error('cut')), 50);
  } else if (what === 'reset') {
    stream.destroy(new Error('reset'));
  } else {
    stream.respond({});
    stream.write('the first part of many');
  }
}
