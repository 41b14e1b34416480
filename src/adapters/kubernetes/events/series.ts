/**
 * When an Event is written, and when one that repeats is counted: as Kubernetes' own components do it. The first is an object; a
 * second within a few minutes makes it a series; further ones are counted here, and the count is written now and then, and when
 * the series is over. Pure.
 */
import type { Instant, Milliseconds } from '../../../model/instant.ts';

/** A series, or what may become one, is over when nothing was seen of it for so long. */
export const SERIES_ENDS: Milliseconds = 6 * 60_000;
/** A count is written at most this often while a series goes on. */
export const COUNT_EVERY: Milliseconds = 5 * 60_000;

/** What is remembered of equal events. */
interface Remembered {
  /** The object that stands for all of them. */
  readonly name: string;
  readonly count: number;
  readonly last: Instant;
  readonly written: { readonly count: number; readonly at: Instant };
}

/** By what makes events equal. */
export type SeriesBook = ReadonlyMap<string, Remembered>;

/** What is to be written. */
export type SeriesWrite =
  | { readonly kind: 'Event'; readonly key: string }
  /** The count of the series that the object `name` stands for, which is 2 or more. */
  | {
      readonly kind: 'Count';
      readonly key: string;
      readonly name: string;
      readonly count: number;
      readonly last: Instant;
    };

export interface Noted {
  readonly book: SeriesBook;
  readonly write?: SeriesWrite;
}

/** One more occurrence; `name` is that of its object, where it becomes one. */
export function noted(
  book: SeriesBook,
  { key, name, at }: { readonly key: string; readonly name: string; readonly at: Instant },
): Noted {
  const before = book.get(key);
  if (before === undefined || isOver(before, at)) {
    const first = { name, count: 1, last: at, written: { count: 1, at } };
    return { book: new Map(book).set(key, first), write: { kind: 'Event', key } };
  }
  const next = { ...before, count: before.count + 1, last: at };
  if (next.count > 2 && at - before.written.at < COUNT_EVERY) return { book: new Map(book).set(key, next) };
  return {
    book: new Map(book).set(key, { ...next, written: { count: next.count, at } }),
    write: countOf(key, next),
  };
}

/** What the time alone brings: counts that are due, those of series that are over among them, which are forgotten. */
export function swept(
  book: SeriesBook,
  now: Instant,
): { readonly book: SeriesBook; readonly writes: readonly SeriesWrite[] } {
  const next = new Map(book);
  const writes: SeriesWrite[] = [];
  for (const [key, known] of book) {
    const isUnwritten = known.written.count < known.count;
    const over = isOver(known, now);
    if (isUnwritten && (over || now - known.written.at >= COUNT_EVERY)) {
      writes.push(countOf(key, known));
      next.set(key, { ...known, written: { count: known.count, at: now } });
    }
    if (over) next.delete(key);
  }
  return { book: next, writes };
}

/** The counts that are not written yet, for the end. */
export function unwritten(book: SeriesBook): readonly SeriesWrite[] {
  return [...book].flatMap(([key, known]) =>
    known.written.count < known.count ? [countOf(key, known)] : [],
  );
}

function countOf(key: string, { name, count, last }: Remembered): SeriesWrite {
  return { kind: 'Count', key, name, count, last };
}

function isOver({ last }: Remembered, now: Instant): boolean {
  return now - last > SERIES_ENDS;
}
