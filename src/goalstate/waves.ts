/**
 * The waves of a rollout: which boxes may have the candidate by now. A pure step from what is recorded to what is recorded
 * next; what was admitted stays admitted, and only boxes that are connected are waited for.
 */
import type { Wave } from '../model/delegates.ts';
import { after, type Instant, isoTime } from '../model/instant.ts';
import type { VersionName } from '../model/names.ts';
import type { RolloutId } from '../model/rollout.ts';
import { NOBODY, type WaveHalt, type WaveOrder, type WavesRecord } from '../model/waves.ts';
import { isWindowOpen, nextOpening } from '../model/windows.ts';
import { EVERYBODY } from './position.ts';
import { type Boxes, sortBoxes, type WaveBoxes } from './wave-boxes.ts';
import { namesOf } from './words.ts';

const NOTHING = { here: 0, before: 0 } as const;

export interface WavesInput extends Boxes {
  /** From `beginWaves`, or what was recorded last. */
  readonly recorded: WavesRecord;
  readonly now: Instant;
  /** Skips waits and windows, nothing else. */
  readonly urgent: boolean;
  /**
   * Why nothing may be concluded from who is connected now: after a restart, watchers are still coming back. Empty: all
   * are there that will be.
   */
  readonly gathering: string;
  /** From `followRollout`: why nobody is admitted any more. Empty: it goes on. */
  readonly stopped: string;
}

export interface WavesStep {
  /** The same object where nothing changed: then there is nothing to commit. */
  readonly next: WavesRecord;
  /** What was done, one sentence each; empty where nothing changed. */
  readonly done: readonly string[];
  /** One sentence: what is waited for now. */
  readonly because: string;
}

interface OneStep {
  readonly next: WavesRecord;
  readonly because: string;
}

/** The waves of a rollout that begins. Without any wave every box is admitted at once. */
export function beginWaves(input: {
  readonly rollout: RolloutId;
  readonly candidate: VersionName;
  readonly waves: readonly Wave[];
  readonly now: Instant;
}): WavesRecord {
  const { rollout, candidate, waves, now } = input;
  const common = { rollout, candidate, waves, wave: 0, since: now, admitted: 0, forgiven: NOTHING };
  return waves.length === 0
    ? { ...common, phase: 'Done', admittedTo: EVERYBODY }
    : { ...common, phase: 'Waiting', admittedTo: NOBODY };
}

/** What comes next, as far as it comes at once. Asked again with what it answered, it changes nothing. */
export function planWaves(input: WavesInput): WavesStep {
  const standing = input.stopped || input.gathering;
  if (standing !== '') return { next: input.recorded, done: [], because: standing };
  let { recorded } = input;
  const done: string[] = [];
  for (;;) {
    const { next, because } = oneStep({ ...input, recorded });
    if (next === recorded) return { next, done, because };
    recorded = next;
    done.push(because);
  }
}

/** The operator's order that no further box is admitted. */
export function haltWaves(recorded: WavesRecord, order: Omit<WaveOrder, 'kind'>): WavesRecord {
  const { by, reason, at } = order;
  const because = `halted by ${by}${reason === '' ? '' : `: ${reason}`}`;
  return { ...recorded, halt: { reason: 'Operator', because, since: at } };
}

/** The operator's order to go on after a halt: what has failed so far is forgiven. */
export function resumeWaves(
  recorded: WavesRecord,
  order: Omit<WaveOrder, 'kind'>,
  boxes: Boxes,
): WavesRecord {
  const { halt: _over, ...going } = recorded;
  return {
    ...going,
    forgiven: failuresOf(sortBoxes(recorded, boxes)),
    order: { kind: 'Resume', ...order },
  };
}

/**
 * The operator's order not to wait any longer for what the phase waits for: `Waiting` begins now, `Canaries` go over into
 * the rest, and `Rest` admits all its boxes at once and gives the turn to the next wave. It ends a halt too.
 */
export function skipWave(recorded: WavesRecord, order: Omit<WaveOrder, 'kind'>, boxes: Boxes): WavesRecord {
  const resumed = {
    ...resumeWaves(recorded, order, boxes),
    order: { kind: 'Skip', ...order },
  } satisfies WavesRecord;
  switch (recorded.phase) {
    case 'Waiting':
      return begun(resumed, order.at);
    case 'Canaries':
      return { ...resumed, phase: 'Rest', since: order.at };
    case 'Rest':
      return nextWave(resumed, order.at);
    case 'Done':
      return recorded;
  }
}

/** Each step moves on, or admits boxes, or halts: there is an end to them. */
function oneStep(input: WavesInput): OneStep {
  const { recorded } = input;
  const wave = recorded.waves[recorded.wave];
  if (wave === undefined || recorded.phase === 'Done') {
    return { next: recorded, because: `${recorded.candidate} is for every box` };
  }
  const title = `wave ${recorded.wave + 1} of ${recorded.waves.length} (${wave.name})`;
  if (recorded.halt !== undefined) {
    return { next: recorded, because: `${title} has halted: ${recorded.halt.because}` };
  }
  const boxes = sortBoxes(recorded, input);
  const halt = haltOf(wave, boxes, input);
  if (halt !== undefined) {
    return { next: { ...recorded, halt }, because: `${title} halts: ${halt.because}` };
  }
  if (recorded.phase === 'Waiting') return waitingStep({ ...input, wave, title });
  return recorded.phase === 'Canaries'
    ? canaryStep({ ...input, wave, title, boxes })
    : restStep({ ...input, wave, title, boxes });
}

type WaveInput = WavesInput & { readonly wave: Wave; readonly title: string };

function haltOf(wave: Wave, boxes: WaveBoxes, { recorded, now }: WavesInput): WaveHalt | undefined {
  const { candidate, forgiven } = recorded;
  const here = boxes.failedHere.length - forgiven.here;
  if (recorded.phase === 'Canaries' && here > 0) {
    const because = `${candidate} failed on the canary ${namesOf(boxes.failedHere)}`;
    return { reason: 'CanaryFailed', because, since: now };
  }
  // Boxes of earlier waves that have recovered must not make up for new failures here.
  const failed = Math.max(here, 0) + Math.max(boxes.failedBefore.length - forgiven.before, 0);
  if (failed <= wave.maxFailed) return undefined;
  const names = namesOf([...boxes.failedHere, ...boxes.failedBefore]);
  const known = forgiven.here + forgiven.before;
  const beside = known === 0 ? '' : ` beside ${known} that are forgiven`;
  const because = `${candidate} failed on ${names}: ${failed}${beside}, and maxFailed is ${wave.maxFailed}`;
  return { reason: 'TooManyFailed', because, since: now };
}

function failuresOf({ failedHere, failedBefore }: WaveBoxes): WavesRecord['forgiven'] {
  return { here: failedHere.length, before: failedBefore.length };
}

/** The wait counts from the end of the wave before: the first wave has none. */
function waitingStep({ recorded, wave, title, now, urgent }: WaveInput): OneStep {
  const begins = after(recorded.since, recorded.wave === 0 ? 0 : wave.wait);
  if (!urgent && begins > now) {
    return { next: recorded, because: `${title} waits until ${isoTime(begins)}, after the wave before it` };
  }
  const closed = closedWindow(wave, now, urgent);
  if (closed !== undefined) return { next: recorded, because: `${title} ${closed}` };
  return { next: begun(recorded, now), because: `${title} begins` };
}

function begun(recorded: WavesRecord, now: Instant): WavesRecord {
  const canaries = recorded.waves[recorded.wave]?.canaries ?? 0;
  return { ...recorded, phase: canaries > 0 ? 'Canaries' : 'Rest', since: now };
}

/** As many canaries as are wanted and can be had; when all of them are ready, the rest follows. */
function canaryStep(input: WaveInput & { readonly boxes: WaveBoxes }): OneStep {
  const { recorded, wave, title, boxes, now, urgent } = input;
  // One that goes away is no canary that is ready (rule 10), and none is admitted in its place.
  const awaited = [...boxes.onTheirWay, ...boxes.vanished];
  const chosen = boxes.ready + awaited.length + boxes.failedHere.length;
  const wanted = Math.min(wave.canaries - chosen, wave.maxInFlight - awaited.length);
  const admitted = wanted > 0 ? admit(recorded, boxes, wanted) : recorded;
  if (admitted !== recorded) {
    const closed = closedWindow(wave, now, urgent);
    if (closed !== undefined) return { next: recorded, because: `${title} ${closed}` };
    return { next: admitted, because: `${title} admits its canaries` };
  }
  if (awaited.length > 0) {
    const away = boxes.vanished.length === 0 ? '' : `; away are ${namesOf(boxes.vanished)}`;
    return { next: recorded, because: `${title} waits for its canaries ${namesOf(awaited)}${away}` };
  }
  const because = `the canaries of ${title} are ready; the rest follows`;
  return { next: { ...recorded, phase: 'Rest', since: now }, because };
}

/** The rest, at most `maxInFlight` at a time; over when nobody connected waits or is on its way. */
function restStep(input: WaveInput & { readonly boxes: WaveBoxes }): OneStep {
  const { recorded, wave, title, boxes, now, urgent } = input;
  const going = boxes.onTheirWay.length;
  if (boxes.waiting.length > 0) {
    const closed = closedWindow(wave, now, urgent);
    if (closed !== undefined) return { next: recorded, because: `${title} ${closed}` };
    const free = wave.maxInFlight - going;
    // Places are given in lots, so that a large wave is not one commit for each of its boxes.
    const isLot = going === 0 || free >= Math.min(Math.ceil(wave.maxInFlight / 4), boxes.waiting.length);
    const next = free > 0 && isLot ? admit(recorded, boxes, free) : recorded;
    if (next !== recorded) return { next, because: `${title} admits ${next.admitted} boxes` };
  }
  if (going > 0) {
    const because = `${title}: ${boxes.admitted} boxes admitted, ${boxes.waiting.length} wait, on their way ${namesOf(boxes.onTheirWay)}`;
    return { next: recorded, because };
  }
  return { next: nextWave({ ...recorded, forgiven: failuresOf(boxes) }, now), because: `${title} is done` };
}

/** As many of the boxes that wait as there are places; those that take none go along on the way. */
function admit(recorded: WavesRecord, boxes: WaveBoxes, places: number): WavesRecord {
  let taken = 0;
  let admitted = boxes.admitted;
  let admittedTo = recorded.admittedTo;
  for (const { position, takesPlace } of boxes.waiting) {
    if (takesPlace && taken === places) break;
    if (takesPlace) taken += 1;
    admitted += 1;
    admittedTo = position;
  }
  return admittedTo === recorded.admittedTo ? recorded : { ...recorded, admitted, admittedTo };
}

/** What has failed so far is forgiven to the next wave. */
function nextWave(recorded: WavesRecord, now: Instant): WavesRecord {
  const wave = recorded.wave + 1;
  const forgiven = { here: 0, before: recorded.forgiven.here + recorded.forgiven.before };
  const turn = { ...recorded, wave, since: now, admitted: 0, forgiven };
  return wave === recorded.waves.length
    ? { ...turn, phase: 'Done', admittedTo: EVERYBODY }
    : { ...turn, phase: 'Waiting', admittedTo: NOBODY };
}

function closedWindow({ windows }: Wave, now: Instant, urgent: boolean): string | undefined {
  if (urgent || isWindowOpen(windows, now)) return undefined;
  const opens = nextOpening(windows, now);
  return `waits for its window${opens === undefined ? '' : `, which opens ${isoTime(opens)}`}`;
}
