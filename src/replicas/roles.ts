/**
 * What a replica is at a time: it leads or it follows, never both and, once it has begun, never neither for longer than
 * the change takes. Roles come one after the other: the one before has ended when the next begins, and of several that
 * are wanted meanwhile the newest counts.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** What somebody who watches the lease says. */
export type Wanted =
  | { readonly kind: 'Leading'; readonly term: number }
  /** `leader` is empty where nobody is known to lead. */
  | { readonly kind: 'Following'; readonly leader: string };

/** A role that is played. */
export interface Role {
  /** Ends it. Must not reject. */
  stop(): Promise<void>;
}

export interface RolesOptions {
  /** Begins to lead. Rejects where it cannot: the replica follows nobody then, and tries again in a while. */
  readonly lead: (term: number) => Promise<Role>;
  readonly follow: (leader: string) => Role;
  readonly onProblem: (error: unknown) => void;
}

const PAUSE_MS = 1_000;

export class Roles {
  readonly #options: RolesOptions;
  readonly #stopping = new AbortController();
  #wanted: Wanted = { kind: 'Following', leader: '' };
  /** The role that is played must be begun anew. */
  #isStale = false;
  #current: { readonly as: Wanted; readonly role: Role };
  #changing: Promise<void> = Promise.resolve();

  /** Follows nobody at first. */
  constructor(options: RolesOptions) {
    this.#options = options;
    this.#current = { as: this.#wanted, role: options.follow('') };
  }

  /** What is played now. */
  get playing(): Wanted['kind'] {
    return this.#current.as.kind;
  }

  want(wanted: Wanted): void {
    this.#wanted = wanted;
    this.#changing = this.#changing.then(() => this.#change());
  }

  /** Ends the role that is played and begins it anew: what it has in memory is not to be trusted any more. */
  again(): void {
    this.#isStale = true;
    this.want(this.#wanted);
  }

  /** Ends the role, and takes no other. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#changing;
    await this.#current.role.stop();
  }

  async #change(): Promise<void> {
    const { lead, follow, onProblem } = this.#options;
    const { signal } = this.#stopping;
    const wanted = this.#wanted;
    if (signal.aborted || (isSame(wanted, this.#current.as) && !this.#isStale)) return;
    this.#isStale = false;
    await this.#current.role.stop();
    try {
      const role = wanted.kind === 'Leading' ? await lead(wanted.term) : follow(wanted.leader);
      this.#current = { as: wanted, role };
    } catch (error) {
      onProblem(error);
      this.#current = { as: { kind: 'Following', leader: '' }, role: follow('') };
      await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
      if (this.#wanted === wanted) this.want(wanted);
    }
  }
}

function isSame(one: Wanted, other: Wanted): boolean {
  return one.kind === 'Leading'
    ? other.kind === 'Leading' && other.term === one.term
    : other.kind === 'Following' && other.leader === one.leader;
}
