/** HTTP/1.1 clients with connections that are kept alive, as most callers have them. */
import { Agent, type IncomingMessage, request } from 'node:http';
import type { Outcome } from '../samples.ts';
import { ANSWER_WITHIN_MS, askingHeaders, failed, headerText, readAnswer, VERSION_HEADER } from './answer.ts';
import type { Address, OpenStream, RequestClient, StreamClient, StreamListener, Wish } from './client.ts';
import { LineReader } from './lines.ts';

/** Requests and streams share the class, never the connections. */
export class Http1Client implements RequestClient, StreamClient {
  readonly #address: Address;
  readonly #requests = new Agent({ keepAlive: true, maxSockets: 32 });
  readonly #streams = new Agent({ maxSockets: Infinity });

  constructor(address: Address) {
    this.#address = address;
  }

  #headers(wish: Wish): Record<string, string> {
    const { authority } = this.#address;
    return { ...(authority === undefined ? {} : { host: authority }), ...askingHeaders(wish) };
  }

  send(wish: Wish): Promise<Outcome> {
    return new Promise((resolve) => {
      const call = request({
        host: this.#address.host,
        port: this.#address.port,
        agent: this.#requests,
        path: wish.path ?? '/',
        headers: this.#headers(wish),
        timeout: ANSWER_WITHIN_MS,
      });
      call.on('timeout', () => call.destroy(new Error(`no answer in ${ANSWER_WITHIN_MS} ms`)));
      call.on('error', (error) => resolve(failed(error)));
      call.on('response', (response) => void readWhole(response).then(resolve));
      call.end();
    });
  }

  open(wish: Wish & { tickMs: number }, listener: StreamListener): OpenStream {
    const call = request({
      host: this.#address.host,
      port: this.#address.port,
      agent: this.#streams,
      path: `/stream?ms=${wish.tickMs}`,
      headers: this.#headers(wish),
    });
    call.on('error', (error) => listener.onEnd(failed(error)));
    call.on('response', (response) => {
      if (response.statusCode !== 200) {
        void readWhole(response).then((outcome) => listener.onEnd(outcome));
        return;
      }
      const lines = new LineReader(listener, headerText(response.headers[VERSION_HEADER]));
      response.setEncoding('utf8');
      response.on('data', (text: string) => lines.read(text));
      response.on('error', (error) => listener.onEnd(failed(error)));
      response.on('end', () => listener.onEnd(failed('the other side ended the stream')));
    });
    call.end();
    return { close: () => call.destroy() };
  }

  close(): void {
    this.#requests.destroy();
    this.#streams.destroy();
  }
}

async function readWhole(response: IncomingMessage): Promise<Outcome> {
  try {
    let body = '';
    for await (const text of response.setEncoding('utf8')) body += text;
    const routedVersion = headerText(response.headers[VERSION_HEADER]);
    return readAnswer({ status: response.statusCode ?? 0, body, routedVersion });
  } catch (error) {
    return failed(error);
  }
}
