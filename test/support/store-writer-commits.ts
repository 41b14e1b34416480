/** The commits that the writer process makes, and what a store holds after them. */
import type { Commit } from '../../src/ports/store.ts';
import type { Holding } from './store-folder.ts';
import { newEvent, serviceRecord } from './stored-records.ts';

/** Commit `number`, from 1: one service, one generation further, with two events. */
export function commitNumber(number: number, size: number): Commit {
  const document = `${number}`.padEnd(size, 'x');
  return {
    services: [serviceRecord({ name: 'manager', generation: number, document })],
    nextPublication: number + 1,
    events: [
      newEvent({ action: 'Flip', service: 'manager', at: number, before: `${number - 1}` }),
      newEvent({ action: 'Published', at: number }),
    ],
  };
}

/** What a store holds after commits 1 to `last`. */
export function holdingAfter(last: number, size: number): Holding {
  const commits = Array.from({ length: last }, (_, index) => commitNumber(index + 1, size));
  return {
    state: {
      services: commits.at(-1)?.services ?? [],
      nextPublication: last + 1,
      proxies: [],
      everWritten: last > 0,
    },
    events: commits
      .flatMap(({ events = [] }) => events)
      .map((event, index) => ({ ...event, sequence: index + 1 })),
  };
}
