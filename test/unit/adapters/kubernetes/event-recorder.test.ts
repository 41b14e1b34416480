/** Who writes Events of Kubernetes: in order, at a pace, from a bounded queue, and never to anybody's harm. */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Ask } from '../../../../src/adapters/kubernetes/client/api.ts';
import { KubernetesApiError } from '../../../../src/adapters/kubernetes/client/api-error.ts';
import type {
  EventObject,
  ObjectReference,
  Occurrence,
} from '../../../../src/adapters/kubernetes/events/event.ts';
import { EventRecorder } from '../../../../src/adapters/kubernetes/events/recorder.ts';
import { type Instant, instant, type Milliseconds } from '../../../../src/model/instant.ts';
import type { Clock } from '../../../../src/ports/clock.ts';
import { occurrence, REGARDING, START } from '../../../support/kubernetes/occurrences.ts';

/** Time that goes on when the test says so. */
class HeldClock implements Clock {
  #now = START;
  readonly #sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();

  now(): Instant {
    return instant(this.#now);
  }

  sleep(length: Milliseconds, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { until: this.#now + length, wake: resolve };
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  }

  async advance(length: Milliseconds): Promise<void> {
    for (const end = this.#now + length; this.#now < end; ) {
      this.#now = Math.min(end, this.#now + 100);
      for (const sleeper of this.#sleepers) {
        if (sleeper.until > this.#now) continue;
        this.#sleepers.delete(sleeper);
        sleeper.wake();
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

interface Served {
  readonly recorder: EventRecorder;
  readonly clock: HeldClock;
  readonly asked: readonly Ask[];
  readonly troubles: readonly string[];
}

function served(answer: (ask: Ask, number: number) => void = () => undefined): Served {
  const clock = new HeldClock();
  const asked: Ask[] = [];
  const troubles: string[] = [];
  const recorder = new EventRecorder({
    api: {
      json: async <Answer>(ask: Ask) => {
        asked.push(ask);
        answer(ask, asked.length);
        return {} as Answer;
      },
    },
    namespace: 'shop',
    instance: 'pod-1',
    clock,
    onTrouble: (sentence) => troubles.push(sentence),
  });
  onTestFinished(async () => {
    const ended = recorder.stop();
    await clock.advance(3_000);
    await ended;
  });
  return { recorder, clock, asked, troubles };
}

const there = (): ObjectReference => REGARDING;
const posted = (asked: readonly Ask[]): readonly EventObject[] =>
  asked.filter(({ method }) => method === 'POST').map(({ body }) => body as EventObject);
const refusal = (code: number): KubernetesApiError =>
  new KubernetesApiError({ code, reason: '', message: `status ${code}` });

describe('the recorder', () => {
  test('writes in order and at a pace, about the object as it is then', async () => {
    const { recorder, clock, asked } = served();
    for (const id of ['1', '2', '3']) recorder.record(occurrence(id), there);
    await clock.advance(100);
    expect(asked).toHaveLength(1);
    await clock.advance(1_000);
    expect(posted(asked).map(({ note }) => note)).toEqual(['note 1', 'note 2', 'note 3']);
    expect(posted(asked)[0]).toMatchObject({
      metadata: { namespace: 'shop' },
      regarding: REGARDING,
      reportingController: 'switchyard.dev/controller',
      reportingInstance: 'pod-1',
      eventTime: '2027-01-15T08:00:00.000000Z',
    });
  });

  test('waits a short time for an object that is not made yet, and holds up nobody', async () => {
    const { recorder, clock, asked } = served();
    let found: ObjectReference | undefined;
    recorder.record(occurrence('1'), () => found);
    recorder.record(occurrence('never'), () => undefined);
    recorder.record(occurrence('2'), there);
    await clock.advance(1_000);
    expect(posted(asked).map(({ note }) => note)).toEqual(['note 2']);
    found = REGARDING;
    await clock.advance(60_000);
    expect(posted(asked).map(({ note }) => note)).toEqual(['note 2', 'note 1']);
  });

  test('a series is one patch, and one whose object has expired is made anew with its count', async () => {
    const { recorder, clock, asked } = served(({ method }) => {
      if (method === 'PATCH') throw refusal(404);
    });
    const same = (id: string): Occurrence => occurrence(id, { note: 'again' });
    recorder.record(same('1'), there);
    recorder.record(same('2'), there);
    await clock.advance(1_000);
    const series = { count: 2, lastObservedTime: '2027-01-15T08:00:00.000000Z' };
    expect(asked.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'POST']);
    expect(asked[1]?.body).toEqual({ series });
    expect(posted(asked)[1]).toEqual({ ...posted(asked)[0], series });
  });

  test('what was told before is no error, and neither is a refusal: it is counted and told once', async () => {
    const { recorder, clock, asked, troubles } = served((_, number) => {
      throw refusal(number === 1 ? 409 : 403);
    });
    for (const id of ['1', '2', '3']) recorder.record(occurrence(id), there);
    await clock.advance(2_000);
    expect(asked).toHaveLength(3);
    expect(troubles).toEqual([expect.stringMatching(/are lost \(1 until now\).*: status 403$/)]);
  });

  test('an API server that is away is tried again, for two minutes', async () => {
    let isAway = true;
    const { recorder, clock, asked, troubles } = served(() => {
      if (isAway) throw new Error('connect ECONNREFUSED');
    });
    recorder.record(occurrence('1'), there);
    await clock.advance(60_000);
    expect(troubles).toEqual([]);
    isAway = false;
    const before = asked.length;
    await clock.advance(5_000);
    expect(asked.length).toBe(before + 1);
    isAway = true;
    recorder.record(occurrence('2'), there);
    await clock.advance(150_000);
    expect(troubles).toEqual([expect.stringMatching(/connect ECONNREFUSED$/)]);
  });

  test('no more than a thousand wait: the oldest are lost, and that is told', async () => {
    const { recorder, troubles } = served();
    for (let number = 0; number < 1_002; number += 1) recorder.record(occurrence(String(number)), there);
    expect(troubles).toEqual([expect.stringMatching(/too many wait$/)]);
  });

  test('its end writes the counts that are open', async () => {
    const { recorder, clock, asked } = served();
    for (const id of ['1', '2', '3']) recorder.record(occurrence(id, { note: 'again' }), there);
    await clock.advance(2_000);
    expect(asked).toHaveLength(2);
    await Promise.all([recorder.stop(), clock.advance(3_000)]);
    await vi.waitFor(() => expect(asked.at(-1)?.body).toMatchObject({ series: { count: 3 } }));
  });
});
