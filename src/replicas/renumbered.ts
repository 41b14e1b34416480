/**
 * A publisher whose user may begin to count anew: a process that becomes the leader, or stops to be it, counts its
 * publications otherwise, while the proxies behind it stay connected and know nothing of it.
 */
import type { Publication } from '../model/table.ts';
import type { ProxyProgress, Publisher, PublishProgress } from '../ports/publisher.ts';
import { Scale } from './scale.ts';

export class RenumberedPublisher implements Publisher {
  readonly #publisher: Publisher;
  readonly #scale = new Scale();
  #newest = 0;

  /** What `publisher` has published so far counts as nothing: all its proxies are at 0. */
  constructor(publisher: Publisher) {
    this.#publisher = publisher;
  }

  /** The same number may come again, with another table: that shows the same commit with other endpoints. */
  publish({ number, table }: Publication): void {
    if (number < this.#newest)
      throw new RangeError(`publication ${number} must not be below the last one, ${this.#newest}`);
    const own = this.#publisher.progress().publication + 1;
    this.#publisher.publish({ number: own, table });
    this.#newest = number;
    this.#scale.note(own, number);
  }

  /** Says that the table that is published shows what belongs to this number too. */
  stillShows(number: number): void {
    this.#scale.note(this.#publisher.progress().publication, number);
    this.#newest = number;
  }

  progress(): PublishProgress {
    return {
      publication: this.#newest,
      proxies: this.#publisher.progress().proxies.map((proxy) => renumbered(proxy, this.#scale)),
    };
  }

  subscribe(listener: () => void): () => void {
    return this.#publisher.subscribe(listener);
  }
}

function renumbered(proxy: ProxyProgress, scale: Scale): ProxyProgress {
  return {
    ...proxy,
    publication: scale.coarse(proxy.publication),
    routesPublication: scale.coarse(proxy.routesPublication),
    types: proxy.types.map((type) => ({ ...type, publication: scale.coarse(type.publication) })),
  };
}
