/**
 * Follows whether a running instance takes requests: probes go in, states come out. The first success counts only
 * when the instance itself listens on the port; after that, failures in a row make it unready and one success ready.
 */
import type { Milliseconds } from '../../model/instant.ts';
import type { Readiness } from '../../model/spec.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ListenerVerdict } from './listeners.ts';
import type { ProbeResult } from './probe.ts';

/** What is known of a running instance after some probes. */
export interface ProbedState {
  readonly kind: 'Starting' | 'Ready' | 'Unready';
  readonly failuresInRow: number;
  readonly because: string;
}

/** The state after one more probe. Pure. */
export function afterProbe(before: ProbedState, result: ProbeResult, failureThreshold: number): ProbedState {
  if (result.kind === 'Passed') return { kind: 'Ready', failuresInRow: 0, because: result.because };
  const failuresInRow = before.failuresInRow + 1;
  if (before.kind === 'Starting')
    return { kind: 'Starting', failuresInRow, because: `not ready yet: ${result.because}` };
  if (before.kind === 'Ready' && failuresInRow < failureThreshold) return { ...before, failuresInRow };
  return {
    kind: 'Unready',
    failuresInRow,
    because: `${failuresInRow} probes in a row failed: ${result.because}`,
  };
}

export interface ReadinessWatch {
  readonly initial: ProbedState;
  /** Read again for each probe, since a wish may change it. */
  readonly readiness: () => Readiness;
  readonly probe: (readiness: Readiness) => Promise<ProbeResult>;
  readonly whoListens: () => Promise<ListenerVerdict>;
  readonly clock: Clock;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** Takes the state after each probe; the next probe waits for it. */
  readonly onProbed: (state: ProbedState) => Promise<void>;
}

/** While an instance starts it is asked more often, so that a version comes up without delay. */
const STARTING_INTERVAL: Milliseconds = 200;

/** Probes until the signal is aborted (`Over`), or until somebody else turns out to have the port. */
export async function watchReadiness(watch: ReadinessWatch): Promise<'Over' | 'PortTaken'> {
  const { signal } = watch;
  let state = watch.initial;
  while (!signal.aborted) {
    const readiness = watch.readiness();
    let result = await watch.probe(readiness);
    if (result.kind === 'Passed' && state.kind !== 'Ready' && !signal.aborted) {
      const verdict = await watch.whoListens();
      if (verdict === 'Stranger' && !signal.aborted) return 'PortTaken';
      if (verdict === 'Nobody') result = { kind: 'Failed', because: 'it answered, but listens no more' };
    }
    if (signal.aborted) break;
    state = afterProbe(state, result, readiness.failureThreshold);
    await watch.onProbed(state);
    await pause(
      watch,
      state.kind === 'Starting' ? Math.min(readiness.interval, STARTING_INTERVAL) : readiness.interval,
    );
  }
  return 'Over';
}

async function pause({ clock, signal }: ReadinessWatch, length: Milliseconds): Promise<void> {
  try {
    await clock.sleep(length, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
