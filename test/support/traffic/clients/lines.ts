/** Cuts the text of a stream of JSON lines into messages, wherever the pieces of text happen to end. */
import { failed, parseObject } from './answer.ts';
import type { StreamListener } from './client.ts';

export class LineReader {
  readonly #listener: StreamListener;
  readonly #routedVersion: string | undefined;
  #rest = '';

  constructor(listener: StreamListener, routedVersion: string | undefined) {
    this.#listener = listener;
    this.#routedVersion = routedVersion;
  }

  read(text: string): void {
    const lines = `${this.#rest}${text}`.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) readMessage(line, this.#listener, this.#routedVersion);
  }
}

/** Hands one JSON message to the listener; one that cannot be read ends the stream. */
export function readMessage(text: string, listener: StreamListener, routedVersion: string | undefined): void {
  const facts = parseObject(text);
  if (typeof facts?.version !== 'string') listener.onEnd(failed(`unreadable message ${text.slice(0, 200)}`));
  else listener.onMessage({ version: facts.version, draining: facts.draining === true }, routedVersion);
}
