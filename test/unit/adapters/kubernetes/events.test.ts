/** Events of Kubernetes: which occurrences make an object, which are counted, and what the server's limits leave of them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventObject } from '../../../../src/adapters/kubernetes/events/event.ts';
import {
  COUNT_EVERY,
  noted,
  SERIES_ENDS,
  type SeriesBook,
  type SeriesWrite,
  swept,
} from '../../../../src/adapters/kubernetes/events/series.ts';
import { instant } from '../../../../src/model/instant.ts';
import { occurrence, REGARDING, START } from '../../../support/kubernetes/occurrences.ts';
import { seed } from '../../../support/seed.ts';

const MINUTE = 60_000;

/** What is written for occurrences of one thing at these minutes, and where time alone brings something. */
function written(minutes: readonly number[], { until = 0 } = {}): readonly SeriesWrite[] {
  let book: SeriesBook = new Map();
  const writes: SeriesWrite[] = [];
  const last = Math.max(until, ...minutes);
  for (let minute = 0; minute <= last; minute += 1) {
    const now = instant(START + minute * MINUTE);
    const sweep = swept(book, now);
    book = sweep.book;
    writes.push(...sweep.writes);
    for (const _ of minutes.filter((one) => one === minute)) {
      const next = noted(book, { key: 'key', name: `at-${minute}`, at: now });
      book = next.book;
      if (next.write !== undefined) writes.push(next.write);
    }
  }
  return writes;
}

const counts = (writes: readonly SeriesWrite[]): readonly number[] =>
  writes.map((write) => (write.kind === 'Event' ? 1 : write.count));

describe('equal events', () => {
  test('the second within six minutes makes a series, which its first object stands for', () => {
    expect(written([0, 6])).toMatchObject([{ kind: 'Event' }, { kind: 'Count', name: 'at-0', count: 2 }]);
    expect(counts(written([0, 7]))).toEqual([1, 1]);
  });

  test('further ones are counted, and the count is written once in five minutes and at the end', () => {
    expect(counts(written([0, 1, 2, 3, 4, 5, 6], { until: 20 }))).toEqual([1, 2, 6, 7]);
    expect(counts(written([0, 1, 1, 1], { until: 20 }))).toEqual([1, 2, 4]);
  });

  test('nothing is written while nothing happens', () => {
    expect(counts(written([0, 1], { until: 600 }))).toEqual([1, 2]);
  });

  test('however they come, each is in exactly one count, and no series is written more often than it may be', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 120 }), { minLength: 1, maxLength: 200 }), (minutes) => {
        const sorted = minutes.toSorted((one, other) => one - other);
        const writes = written(sorted, { until: 140 });
        const events = writes.filter(({ kind }) => kind === 'Event').length;
        const totals = counts(writes).filter((count, index, all) => {
          const next = all[index + 1];
          return next === undefined || next === 1 || next < count;
        });
        expect(totals.reduce((sum, count) => sum + count, 0)).toBe(sorted.length);
        const gaps = sorted.filter((at, i) => i > 0 && (at - (sorted[i - 1] ?? 0)) * MINUTE > SERIES_ENDS);
        expect(events).toBe(1 + gaps.length);
        const most = 2 * events + (140 * MINUTE) / COUNT_EVERY + events;
        expect(writes.length).toBeLessThanOrEqual(most);
      }),
      { seed: seed() },
    );
  });
});

describe('the object', () => {
  test('keeps to the limits of the API server, also where characters have several bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 3_000 }), fc.string(), (note, id) => {
        const about = { regarding: { ...REGARDING, name: 'n'.repeat(253) }, instance: 'i'.repeat(300) };
        const object = eventObject(occurrence(id, { note }), about);
        expect(Buffer.byteLength(object.note)).toBeLessThanOrEqual(1_024);
        expect(object.note).not.toMatch(/[\ud800-\udbff]$/);
        expect(object.reportingInstance.length).toBeLessThanOrEqual(128);
        expect(object.metadata.name).toMatch(/^n{200}\.[0-9a-f]{16}$/);
      }),
      { seed: seed() },
    );
  });

  test('has the same name for the same occurrence, and another one for each other', () => {
    const named = (id: string, uid: string): string =>
      eventObject(occurrence(id), { regarding: { ...REGARDING, uid }, instance: 'pod' }).metadata.name;
    expect(named('audit/1', 'a')).toBe(named('audit/1', 'a'));
    expect(new Set([named('audit/1', 'a'), named('audit/2', 'a'), named('audit/1', 'b')]).size).toBe(3);
  });
});
