/** HTTP/2 clients with prior knowledge: all requests and streams of one client share one connection. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2';
import type { Outcome } from '../samples.ts';
import { ANSWER_WITHIN_MS, askingHeaders, failed, headerText, readAnswer, VERSION_HEADER } from './answer.ts';
import type { Address, OpenStream, RequestClient, StreamClient, StreamListener, Wish } from './client.ts';
import { LineReader } from './lines.ts';

export class Http2Client implements RequestClient, StreamClient {
  readonly #origin: string;
  readonly #named: { readonly ':authority'?: string };
  #session: ClientHttp2Session | undefined;

  constructor({ host, port, authority }: Address) {
    this.#origin = `http://${host}:${port}`;
    this.#named = authority === undefined ? {} : { ':authority': authority };
  }

  send(wish: Wish): Promise<Outcome> {
    return new Promise((resolve) => {
      const stream = this.#request(wish.path ?? '/', wish);
      stream.setTimeout(ANSWER_WITHIN_MS, () =>
        stream.destroy(new Error(`no answer in ${ANSWER_WITHIN_MS} ms`)),
      );
      collect(stream, (end) => resolve('failure' in end ? end.failure : readAnswer(end)));
    });
  }

  open(wish: Wish & { tickMs: number }, listener: StreamListener): OpenStream {
    const stream = this.#request(`/stream?ms=${wish.tickMs}`, wish);
    stream.once('response', (headers) => {
      if (headers[':status'] !== 200) return;
      const lines = new LineReader(listener, headerText(headers[VERSION_HEADER]));
      stream.on('data', (text: string) => lines.read(text));
    });
    collect(stream, (end) => {
      if ('failure' in end) listener.onEnd(end.failure);
      else listener.onEnd(end.status === 200 ? failed('the other side ended the stream') : readAnswer(end));
    });
    return { close: () => stream.close(constants.NGHTTP2_CANCEL) };
  }

  close(): void {
    this.#session?.destroy();
  }

  #request(path: string, wish: Wish): ClientHttp2Stream {
    return this.#connected().request({ ':path': path, ...this.#named, ...askingHeaders(wish) });
  }

  #connected(): ClientHttp2Session {
    const current = this.#session;
    if (current !== undefined && !current.closed && !current.destroyed) return current;
    const session = connect(this.#origin);
    // Its requests report the error; without a listener it would end the process.
    session.on('error', () => {});
    session.setMaxListeners(0);
    this.#session = session;
    return session;
  }
}

type End =
  | { readonly status: number; readonly body: string; readonly routedVersion: string | undefined }
  | { readonly failure: Outcome };

/** Reads a stream to its end, whatever that is; calls back once. The body is cut at 4 KiB. */
function collect(stream: ClientHttp2Stream, done: (end: End) => void): void {
  let headers: IncomingHttpHeaders & IncomingHttpStatusHeader = {};
  let body = '';
  let failure: unknown;
  stream.setEncoding('utf8');
  stream.once('response', (received) => {
    headers = received;
  });
  stream.on('data', (text: string) => {
    if (body.length < 4096) body += text;
  });
  stream.on('error', (error) => {
    failure = error;
  });
  stream.once('close', () => {
    if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) failure ??= `reset with code ${stream.rstCode}`;
    if (failure !== undefined) done({ failure: failed(failure) });
    else done({ status: headers[':status'] ?? 0, body, routedVersion: headerText(headers[VERSION_HEADER]) });
  });
}
