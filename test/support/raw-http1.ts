/**
 * HTTP/1.1 as bytes on a socket: sends header lines that no client library would send, and reads the answer. Answers must
 * have a content-length, or end with the connection.
 */
import { connect, type Socket } from 'node:net';

export interface RawResponse {
  readonly status: number;
  /** Lower-case names; the last line of a name wins. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A connection that answers one request after another. */
export class RawConnection {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    socket.on('close', end).on('error', end);
  }

  /** `localAddress`: the client's address as the server sees it, any of 127.0.0.0/8. */
  static async open(port: number, localAddress = '127.0.0.1'): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    socket.setNoDelay(true);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject);
    });
    return new RawConnection(socket);
  }

  /** No more requests can be sent: the server closed the connection, or said that it will. */
  get ended(): boolean {
    return this.#ended;
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** The next answer, or `undefined` where the connection ends without one. */
  async response(): Promise<RawResponse | undefined> {
    const head = await this.#until(() => this.#received.indexOf('\r\n\r\n'));
    if (head === undefined) return undefined;
    const { status, headers } = parseHead(this.#received.toString('latin1', 0, head));
    const length = headers.get('content-length');
    const bodyStart = head + 4;
    const bodyEnd = length === undefined ? bodyStart : bodyStart + Number(length);
    await this.#until(() => (this.#received.length >= bodyEnd ? bodyEnd : -1));
    const body = this.#received.toString('utf8', bodyStart, bodyEnd);
    this.#received = this.#received.subarray(bodyEnd);
    if (headers.get('connection') === 'close') this.#ended = true;
    return { status, headers, body };
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Waits until `find` gives a place; `undefined` where the connection ends before. */
  async #until(find: () => number): Promise<number | undefined> {
    for (;;) {
      const found = find();
      if (found >= 0) return found;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** A request without a body. */
export interface RawRequest {
  /** Default: GET. */
  readonly method?: string;
  readonly path: string;
  readonly host: string;
  /** Characters above 0xff are not allowed; each other one is one byte. */
  readonly lines: readonly string[];
}

/** The bytes of a request. */
export function requestBytes({ method = 'GET', path, host, lines }: RawRequest): Buffer {
  const head = [`${method} ${path} HTTP/1.1`, `host: ${host}`, ...lines];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** One request on a connection of its own. `undefined`: the connection was closed without an answer. */
export async function rawHttp1(
  port: number,
  lines: readonly string[],
  { host = 'manager.test', path = '/', method = 'GET' }: Partial<Omit<RawRequest, 'lines'>> = {},
): Promise<RawResponse | undefined> {
  const connection = await RawConnection.open(port);
  try {
    connection.write(requestBytes({ method, path, host, lines }));
    return await connection.response();
  } finally {
    connection.close();
  }
}

function parseHead(head: string): { status: number; headers: ReadonlyMap<string, string> } {
  const [statusLine = '', ...lines] = head.split('\r\n');
  const pairs = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: Number(statusLine.split(' ')[1]), headers: new Map(pairs) };
}
