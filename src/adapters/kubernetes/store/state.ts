/**
 * The records and counters of a leader: one change at a time, and where it is not known what came of one, everything is read
 * again before the next.
 */
import type { Milliseconds } from '../../../model/instant.ts';
import type { ServiceName } from '../../../model/names.ts';
import type { Clock } from '../../../ports/clock.ts';
import { type Commit, NotLeaderError } from '../../../ports/store.ts';
import { checkCommit, isEmptyCommit } from '../../commit-rules.ts';
import { CONTROLLER_STATE, SERVICE_ROUTING } from '../custom-resources.ts';
import { committed } from './committing.ts';
import { StoreLimitError } from './errors.ts';
import { checkPublications, checkRecord, checkServices } from './limits.ts';
import type { StoredObject } from './objects.ts';
import { type Numbers, plannedCommit } from './plan.ts';
import { inParallel } from './settling.ts';
import type { StateObject } from './state-object.ts';
import { type Held, type TakenOver, takeOver } from './takeover.ts';
import type { Writer } from './writer.ts';

export interface StateOptions {
  readonly writer: Writer;
  readonly clock: Clock;
  /** Names that no two writes share. */
  readonly newWriteId: () => string;
  readonly trouble: (sentence: string) => void;
  /** Called with what was read, each time that everything was. */
  readonly onRead: (taken: TakenOver) => void;
}

interface InDoubt {
  readonly writeId: string;
  readonly numbers: Numbers;
  readonly decided: () => unknown;
}

/** What was decided and not finished is tried again after so long. */
const FINISH_AGAIN: Milliseconds = 2_000;

export class State {
  readonly #options: StateOptions;
  readonly #stop = new AbortController();
  #held: Held;
  #numbers: Numbers;
  /** True: what is held may not be what is stored. */
  #mustRead = false;
  /** A change that failed, and may have been made. */
  #inDoubt: InDoubt | undefined;
  #tail: Promise<unknown> = Promise.resolve();

  /** `taken`: what was found when this replica took over. */
  constructor(options: StateOptions, taken: TakenOver) {
    this.#options = options;
    this.#held = taken;
    this.#numbers = taken.counters;
    this.#tell(taken);
  }

  /** As it was last known. */
  get held(): Held {
    return this.#held;
  }

  get nextPublication(): number {
    return this.#numbers.nextPublication;
  }

  /** Resolves with what is stored. Where nobody can say, and this replica leads, it rejects as takeOver does. */
  read(): Promise<Held> {
    return this.#inTurn(async () => {
      await this.#settle().catch((error: unknown) => {
        if (!(error instanceof NotLeaderError)) throw error;
      });
      return this.#held;
    });
  }

  /**
   * Runs `decided` when the change is decided, before any other one begins; where nobody said that it is, and it is, when that
   * is found out. Rejects as `committed` and `checkCommit` do.
   */
  commit<Result>(commit: Commit, decided: () => Result): Promise<Result> {
    return this.#inTurn(async () => {
      this.#options.writer.assertLeading();
      await this.#settle();
      this.#check(commit);
      if (!isEmptyCommit(commit)) await this.#commit(commit, decided);
      return decided();
    });
  }

  /** All objects, as they are between two changes. Rejects as takeOver does. */
  copy(): Promise<readonly StoredObject[]> {
    return this.#inTurn(async () => {
      await this.#settle();
      const { writer } = this.#options;
      return [...(await writer.list(SERVICE_ROUTING)), ...(await writer.list(CONTROLLER_STATE))];
    });
  }

  /** Resolves when no change goes on. Nothing is tried again after it. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#tail;
  }

  #inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const outcome = this.#tail.then(act);
    this.#tail = outcome.catch(() => undefined);
    return outcome;
  }

  #check(commit: Commit): void {
    const { routings } = this.#held;
    checkCommit(commit, {
      generationOf: (service) => routings.get(service)?.record.generation ?? 0,
      nextPublication: this.#numbers.nextPublication,
    });
    const { services = [] } = commit;
    for (const record of services) checkRecord(record);
    const added = services.map(({ name }) => name).filter((name: ServiceName) => !routings.has(name));
    checkServices([...routings.keys()], added);
    checkPublications(commit, (name) => routings.get(name)?.publication ?? 0);
  }

  async #commit(commit: Commit, decided: () => unknown): Promise<void> {
    const { writer, newWriteId, trouble } = this.#options;
    const held = this.#held;
    const plan = plannedCommit({
      commit,
      held,
      numbers: this.#numbers,
      newName: () => `roll-${newWriteId()}`,
    });
    const writeId = newWriteId();
    try {
      const outcome = await committed({ writer, newWriteId, writeId, held, plan, trouble });
      this.#held = outcome.held;
      this.#numbers = plan.numbers;
      if (outcome.kind === 'Unfinished') this.#finishLater(outcome.why);
    } catch (error) {
      if (!(error instanceof StoreLimitError)) {
        this.#mustRead = true;
        this.#inDoubt = { writeId, numbers: plan.numbers, decided };
      }
      throw error;
    }
    await this.#remove(plan.superseded);
  }

  /** Rolls that nothing names any more. What stays goes when the next leader begins. */
  async #remove(rolls: readonly string[]): Promise<void> {
    const { writer, trouble } = this.#options;
    await inParallel(rolls, async (name) => {
      const uid = (await writer.find<StateObject>(CONTROLLER_STATE, name))?.metadata.uid;
      if (uid !== undefined) await writer.write({ kind: 'Delete', of: CONTROLLER_STATE, name, uid });
    }).catch((error: unknown) => trouble(`a roll that ended is still there: ${(error as Error).message}`));
  }

  async #settle(): Promise<void> {
    if (!this.#mustRead) return;
    const { writer, newWriteId, clock } = this.#options;
    const taken = await takeOver({ writer, newWriteId, now: clock.now(), before: this.#held });
    this.#held = taken;
    this.#mustRead = false;
    this.#tell(taken);
    this.#resolveDoubt(taken);
  }

  /** A change that was refused for want of an answer, and was made: what happened is told all the same. */
  #resolveDoubt({ routings, finished }: TakenOver): void {
    const doubt = this.#inDoubt;
    this.#inDoubt = undefined;
    if (doubt === undefined) return;
    const { writeId, numbers, decided } = doubt;
    const wasMade =
      finished === writeId || [...routings.values()].some((routing) => routing.writeId === writeId);
    if (!wasMade) return;
    this.#numbers = numbers;
    decided();
  }

  #tell(taken: TakenOver): void {
    this.#options.onRead(taken);
    for (const sentence of taken.troubles) this.#options.trouble(sentence);
  }

  /** What is decided holds; its objects are what followers read, so it must not wait for the next change. */
  #finishLater(why: unknown): void {
    const { trouble } = this.#options;
    this.#mustRead = true;
    trouble(`a change is decided and not yet in all objects: ${(why as Error).message}`);
    void this.#finish().catch(() => undefined);
  }

  async #finish(): Promise<void> {
    const { clock, trouble } = this.#options;
    while (this.#mustRead) {
      await clock.sleep(FINISH_AGAIN, this.#stop.signal);
      await this.#inTurn(() => this.#settle()).catch((error: unknown) => {
        if (error instanceof NotLeaderError) throw error;
        trouble(`a change is not yet in all objects: ${(error as Error).message}`);
      });
    }
  }
}
