/** Websocket clients: they send a little text at a steady pace and get it back with the version's name. */
import { type RawData, WebSocket } from 'ws';
import { askingHeaders, failed, headerText, readAnswer, VERSION_HEADER } from './answer.ts';
import type { Address, OpenStream, StreamClient, StreamListener, Wish } from './client.ts';
import { readMessage } from './lines.ts';

export class WebsocketClient implements StreamClient {
  readonly #url: string;
  readonly #named: { readonly host?: string };

  constructor({ host, port, authority }: Address) {
    this.#url = `ws://${host}:${port}/echo`;
    this.#named = authority === undefined ? {} : { host: authority };
  }

  open(wish: Wish & { tickMs: number }, listener: StreamListener): OpenStream {
    const socket = new WebSocket(this.#url, {
      headers: { ...this.#named, ...askingHeaders(wish) },
      perMessageDeflate: false,
    });
    let routedVersion: string | undefined;
    let timer: NodeJS.Timeout | undefined;
    socket.on('upgrade', (response) => {
      routedVersion = headerText(response.headers[VERSION_HEADER]);
    });
    socket.on('open', () => {
      timer = setInterval(() => socket.send('still here'), wish.tickMs);
    });
    socket.on('message', (data) => readMessage(textOf(data), listener, routedVersion));
    socket.on('unexpected-response', (_request, response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () =>
        listener.onEnd(readAnswer({ status: response.statusCode ?? 0, body, routedVersion: undefined })),
      );
      response.on('error', (error) => listener.onEnd(failed(error)));
    });
    socket.on('error', (error) => listener.onEnd(failed(error)));
    socket.on('close', (code) => {
      clearInterval(timer);
      listener.onEnd(failed(`closed with code ${code}`));
    });
    return { close: () => socket.close(1000) };
  }

  /** Each websocket is a connection of its own; there is nothing to share. */
  close(): void {}
}

function textOf(data: RawData): string {
  return (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)).toString();
}
