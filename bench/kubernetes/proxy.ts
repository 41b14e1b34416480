/** A proxy over incremental xDS that takes all clusters and their endpoints, acknowledges at once, and says when it did. */
import { eventually } from '../../test/support/eventually.ts';
import { node, type WireResponse, type XdsClient, XdsConnection } from '../../test/support/xds-client.ts';

export class BenchProxy {
  readonly #connection: XdsConnection;
  readonly #client: XdsClient;
  readonly #heard = new Set<(cluster: string, at: number) => void>();
  /** The clusters whose endpoints it has. */
  readonly endpoints = new Set<string>();

  constructor(place: { readonly host: string; readonly port: number; readonly id: string }) {
    this.#connection = new XdsConnection(place.port, place.host);
    this.#client = this.#connection.open('delta');
    this.#client.onResponse((response) => this.#take(response));
    this.#client.change('clusters', { node: node(place.id), resourceNamesSubscribe: ['*'] });
  }

  /** Calls back for each cluster whose endpoints were acknowledged, with `performance.now()`. Returns the way to stop that. */
  onEndpoints(heard: (cluster: string, at: number) => void): () => void {
    this.#heard.add(heard);
    return () => this.#heard.delete(heard);
  }

  /** Resolves when it has the endpoints of so many clusters. */
  async follows(clusters: number): Promise<void> {
    await eventually(() => this.endpoints.size >= clusters, {
      what: `${clusters} clusters`,
      within: 120_000,
    });
  }

  close(): void {
    this.#client.cancel();
    this.#connection.close();
  }

  #take(response: WireResponse): void {
    this.#client.acknowledge(response);
    const at = performance.now();
    const names = response.resources.map(({ name }) => name);
    if (response.type === 'clusters') {
      this.#client.change('endpoints', { resourceNamesSubscribe: names });
      return;
    }
    for (const name of names) {
      this.endpoints.add(name);
      for (const heard of this.#heard) heard(name, at);
    }
  }
}
