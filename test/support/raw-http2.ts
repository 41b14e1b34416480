/**
 * HTTP/2 as frames on a socket, for headers that no client library would send: every header is a literal without
 * compression (RFC 7541, section 6.2.2). Answers are told apart by node:http2's own decoder where a test needs them;
 * here it is enough whether the server ended the stream or the connection.
 */
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { connect } from 'node:net';
import type { RawResponse } from './raw-http1.ts';

type Header = readonly [name: string, value: string];

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const FRAME = { headers: 1, resetStream: 3, settings: 4, goAway: 7 } as const;
const END_STREAM_AND_HEADERS = 0x5;
const FRAME_HEAD = 9;

/** What a server did with a stream that it did not like. */
export type Ending = 'Answered' | 'StreamReset' | 'ConnectionClosed';

/** One request in frames. The name and value of each header go out as they are. */
export async function http2Frames(port: number, headers: readonly Header[]): Promise<Ending> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    socket.write(
      Buffer.concat([
        Buffer.from(PREFACE),
        frame(FRAME.settings, 0, 0, Buffer.alloc(0)),
        frame(FRAME.headers, END_STREAM_AND_HEADERS, 1, Buffer.concat([...PSEUDO, ...headers].map(literal))),
      ]),
    );
    return await new Promise<Ending>((resolve) => {
      let received = Buffer.alloc(0);
      socket.on('data', (chunk) => {
        received = Buffer.concat([received, chunk]);
        for (const type of completeFrames(received)) {
          if (type === FRAME.headers) resolve('Answered');
          if (type === FRAME.resetStream) resolve('StreamReset');
          if (type === FRAME.goAway) resolve('ConnectionClosed');
        }
      });
      socket.on('close', () => resolve('ConnectionClosed')).on('error', () => resolve('ConnectionClosed'));
    });
  } finally {
    socket.destroy();
  }
}

/** One request by node:http2, which lets through more than it should: repeated, padded and non-ASCII values. */
export async function http2Request(
  port: number,
  headers: readonly Header[],
  {
    host = 'manager.test',
    path = '/',
    method = 'GET',
  }: { host?: string; path?: string; method?: string } = {},
): Promise<RawResponse | undefined> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  try {
    const lines: Record<string, string | string[]> = {
      ':authority': host,
      ':path': path,
      ':method': method,
      ':scheme': 'http',
    };
    for (const [name, value] of headers) {
      const before = lines[name];
      lines[name] = before === undefined ? value : [before, value].flat();
    }
    const stream = session.request(lines, { endStream: true });
    return await new Promise((resolve) => {
      let answer: IncomingHttpHeaders | undefined;
      const chunks: Buffer[] = [];
      stream.on('response', (received) => {
        answer = received;
      });
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', () => resolve(undefined));
      stream.on('close', () =>
        resolve(answer === undefined ? undefined : response(answer, Buffer.concat(chunks).toString('utf8'))),
      );
    });
  } finally {
    session.destroy();
  }
}

const PSEUDO: readonly Header[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'manager.test'],
];

function response(headers: IncomingHttpHeaders, body: string): RawResponse {
  const pairs = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
  return { status: Number(headers[':status']), headers: new Map(pairs), body };
}

function* completeFrames(bytes: Buffer): Generator<number> {
  for (let at = 0; at + FRAME_HEAD <= bytes.length; ) {
    const end = at + FRAME_HEAD + bytes.readUIntBE(at, 3);
    if (end > bytes.length) return;
    yield bytes.readUInt8(at + 3);
    at = end;
  }
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(FRAME_HEAD);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Literal header field without indexing, new name, no Huffman code; lengths below 127 only. */
function literal([name, value]: Header): Buffer {
  return Buffer.concat([Buffer.from([0]), text(name), text(value)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length > 126)
    throw new RangeError(`a literal of ${bytes.length} bytes needs more than one length byte`);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}
