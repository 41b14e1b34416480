/**
 * The leader's publisher: its own proxies, and those that followers report. Followers count in commits of the recorded
 * state, the leader in publications, so what they say is brought to the leader's count.
 */
import type { Publication } from '../model/table.ts';
import type { ProxyProgress, Publisher, PublishProgress } from '../ports/publisher.ts';
import { Scale } from './scale.ts';

/** What one follower said. Publications of its proxies are commits. */
export interface FollowerReport {
  readonly commit: number;
  readonly heldBack: readonly string[];
  readonly changed: readonly ProxyProgress[];
  readonly gone: readonly string[];
}

/** A follower as it is now. */
interface Following {
  readonly replica: string;
  readonly commit: number;
  readonly heldBack: readonly string[];
  readonly proxies: ReadonlyMap<string, ProxyProgress>;
}

/** One stream of a follower. */
export interface FollowerSession {
  report(report: FollowerReport): void;
  /** The follower is silent from here on: its proxies are no longer connected, as far as anybody knows. */
  ended(): void;
}

export interface LeadingPublisherOptions {
  /** Publishes to the proxies of this replica. */
  readonly own: Publisher;
  /** The newest commit that what is published now shows. */
  readonly commit: () => number;
}

export class LeadingPublisher implements Publisher {
  readonly #options: LeadingPublisherOptions;
  readonly #scale = new Scale();
  readonly #followers = new Map<FollowerSession, Following>();
  readonly #listeners = new Set<() => void>();
  readonly #published = new Set<() => void>();
  #newest = 0;
  #commit = 0;

  constructor(options: LeadingPublisherOptions) {
    this.#options = options;
  }

  /** The commit that was published last. */
  get commit(): number {
    return this.#commit;
  }

  publish(publication: Publication): void {
    this.#options.own.publish(publication);
    this.#newest = publication.number;
    this.#commit = this.#options.commit();
    this.#scale.note(publication.number, this.#commit);
    for (const listener of this.#published) listener();
  }

  progress(): PublishProgress {
    const ids = new Map<string, number>();
    const proxies = [
      ...this.#options.own.progress().proxies,
      ...[...this.#followers.values()].flatMap(({ proxies: of }) =>
        [...of.values()].map((proxy) => this.#counted(proxy)),
      ),
    ].map((proxy) => {
      // A proxy on its way from one replica to another may be at both for a moment.
      const times = (ids.get(proxy.id) ?? 0) + 1;
      ids.set(proxy.id, times);
      return times === 1 ? proxy : { ...proxy, id: `${proxy.id}@${times}` };
    });
    return {
      publication: this.#newest,
      proxies: proxies.toSorted((one, other) => (one.id < other.id ? -1 : 1)),
    };
  }

  subscribe(listener: () => void): () => void {
    const unsubscribe = this.#options.own.subscribe(listener);
    this.#listeners.add(listener);
    return () => {
      unsubscribe();
      this.#listeners.delete(listener);
    };
  }

  /** Calls back after each publication. Returns the way to stop that. */
  onPublished(listener: () => void): () => void {
    this.#published.add(listener);
    return () => this.#published.delete(listener);
  }

  /** What followers do not show yet, each sentence with the replica's name; sorted. */
  heldBack(): readonly string[] {
    return [...this.#followers.values()]
      .flatMap(({ replica, heldBack }) => heldBack.map((why) => `${replica} stays on what it shows: ${why}`))
      .toSorted();
  }

  /** A follower has come. Its stream before, if one is left, counts no more. */
  follow(replica: string): FollowerSession {
    for (const [session, { replica: name }] of this.#followers)
      if (name === replica) this.#followers.delete(session);
    const session: FollowerSession = {
      report: (report) => {
        const following = this.#followers.get(session);
        if (following === undefined) return;
        const proxies = new Map(following.proxies);
        for (const id of report.gone) proxies.delete(id);
        for (const proxy of report.changed) proxies.set(proxy.id, proxy);
        const { commit, heldBack } = report;
        this.#followers.set(session, { replica, commit, heldBack, proxies });
        this.#tell();
      },
      ended: () => {
        if (this.#followers.delete(session)) this.#tell();
      },
    };
    this.#followers.set(session, { replica, commit: 0, heldBack: [], proxies: new Map() });
    return session;
  }

  #counted(proxy: ProxyProgress): ProxyProgress {
    const fine = (commit: number): number => this.#scale.fine(commit, this.#newest);
    return {
      ...proxy,
      publication: fine(proxy.publication),
      routesPublication: fine(proxy.routesPublication),
      types: proxy.types.map((type) => ({ ...type, publication: fine(type.publication) })),
    };
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
