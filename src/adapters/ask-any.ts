/**
 * Asking one instance of many that all know the same: the first good answer counts. The next one is asked when one
 * failed, or has not answered for a while, so that a hanging instance costs only that while.
 */
import type { Instance } from '../model/instance.ts';
import type { Milliseconds } from '../model/instant.ts';
import { inOneLine, instanceLabel } from './instance-round.ts';

/** Instances of one kind that a round asks at most; the next round begins with others. */
const MOST_ASKED = 3;

const NOBODY = 'no ready instance of any version is known, so nobody can be asked';

/** An answer, or why there is none. */
export type Asked<T> =
  | { readonly kind: 'answered'; readonly value: T; readonly by: Instance }
  | { readonly kind: 'failed'; readonly reason: string };

/** Who is asked, in this order: ready instances of the versions that are meant, then those of others. */
export interface Candidates {
  readonly own: readonly Instance[];
  readonly others: readonly Instance[];
}

/** Asks one candidate after the other. Never rejects; `round` turns the lists, so that no instance is left out for good. */
export function askAny<T>(question: {
  readonly candidates: Candidates;
  readonly round: number;
  /** Rejects where the instance does not answer as it should, and when the signal ends it. */
  readonly ask: (instance: Instance, signal: AbortSignal) => Promise<T>;
  /** How long one may be silent before the next is asked too. */
  readonly patience: Milliseconds;
  readonly signal: AbortSignal;
}): Promise<Asked<T>> {
  const { candidates, round, ask, patience, signal } = question;
  const line = [...turned(candidates.own, round), ...turned(candidates.others, round)];
  if (line.length === 0) return Promise.resolve({ kind: 'failed', reason: NOBODY });
  const others = new AbortController();
  const either = AbortSignal.any([signal, others.signal]);
  const waiting = line.values();
  const reasons: string[] = [];
  const { promise, resolve } = Promise.withResolvers<Asked<T>>();
  let open = 0;
  let timer: NodeJS.Timeout | undefined;

  const end = (asked: Asked<T>): void => {
    clearTimeout(timer);
    resolve(asked);
    others.abort(new Error('another instance has answered'));
  };
  const askNext = (): void => {
    clearTimeout(timer);
    const instance = signal.aborted ? undefined : waiting.next().value;
    if (instance === undefined) {
      const reason =
        reasons.length === 0 ? 'the round was ended before anybody was asked' : inOneLine(reasons);
      if (open === 0) end({ kind: 'failed', reason });
      return;
    }
    open += 1;
    timer = setTimeout(askNext, patience);
    ask(instance, either).then(
      (value) => end({ kind: 'answered', value, by: instance }),
      (error: unknown) => {
        open -= 1;
        reasons.push(`${instanceLabel(instance)}: ${(error as Error).message}`);
        askNext();
      },
    );
  };
  askNext();
  return promise;
}

function turned(instances: readonly Instance[], round: number): readonly Instance[] {
  const ready = instances.filter(({ state }) => state === 'Ready');
  const at = ready.length === 0 ? 0 : round % ready.length;
  return [...ready.slice(at), ...ready.slice(0, at)].slice(0, MOST_ASKED);
}
