/**
 * A proxy on the real wire that follows one listener's routes and answers by itself, at once or when it is told. It
 * subscribes to listeners and routes only, so nothing waits for clusters.
 */
import { node, type WireResponse, type XdsClient, XdsConnection } from './xds-client.ts';

export class WireProxy {
  readonly #connection: XdsConnection;
  readonly #client: XdsClient;
  #prompt: boolean;
  #rejection: string | undefined;
  #unanswered: WireResponse[] = [];

  constructor(options: { port: number; id: string; speed: 'prompt' | 'slow' }) {
    this.#prompt = options.speed === 'prompt';
    this.#connection = new XdsConnection(options.port);
    this.#client = this.#connection.open('sotw');
    this.#client.call.on('data', () => {
      const response = this.#client.received.at(-1);
      if (response !== undefined) this.#unanswered.push(response);
      this.#answer();
    });
    this.#client.ask('listeners', { node: node(options.id) });
    this.#client.ask('routes', { resourceNames: ['gateway'] });
  }

  /** Acknowledges what came, and from now on what comes. */
  acknowledge(): void {
    this.#prompt = true;
    this.#answer();
  }

  /** Refuses the routes that came or that come next. */
  rejectRoutes(message: string): void {
    this.#rejection = message;
    this.#answer();
  }

  close(): void {
    this.#client.cancel();
    this.#connection.close();
  }

  #answer(): void {
    const waiting = this.#unanswered;
    this.#unanswered = [];
    for (const response of waiting) {
      if (response.type === 'routes' && this.#rejection !== undefined) {
        const errorDetail = { code: 3, message: this.#rejection };
        this.#client.ask('routes', {
          responseNonce: response.nonce,
          resourceNames: ['gateway'],
          errorDetail,
        });
      } else if (this.#prompt) {
        this.#client.acknowledge(response, response.type === 'routes' ? ['gateway'] : []);
      } else this.#unanswered.push(response);
    }
  }
}
