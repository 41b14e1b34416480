/** Sentences for operators about the ends of processes. Pure. */
import type { Milliseconds } from '../../model/instant.ts';
import type { ProcessEnd } from './main-process.ts';

/** How a process ended, for example `exited with code 1`. */
export function describeEnd(end: ProcessEnd): string {
  switch (end.kind) {
    case 'Exited':
      return `exited with code ${end.code}`;
    case 'Killed':
      return `was ended by ${end.signal}`;
    case 'Unseen':
      return 'ended; its exit code went to nobody, since another controller had started it';
  }
}

/** Why an instance is down and what comes next. */
export function describeFailure(failed: {
  because: string;
  failures: number;
  delay: Milliseconds;
  lastLine: string;
}): string {
  const row = failed.failures > 1 ? `, ${failed.failures} times in a row` : '';
  return `${failed.because}${row}; starts again in ${seconds(failed.delay)}${lineText(failed.lastLine)}`;
}

/** Why an instance is not started again. */
export function describeGivenUp(failed: {
  because: string;
  ends: number;
  within: Milliseconds;
  lastLine: string;
}): string {
  const { because, ends, within, lastLine } = failed;
  return `${because}, the ${ordinal(ends)} time within ${seconds(within)}, and is not started again${lineText(lastLine)}`;
}

function ordinal(count: number): string {
  const endings: Readonly<Record<number, string>> = { 1: 'st', 2: 'nd', 3: 'rd' };
  return `${count}${endings[count] ?? 'th'}`;
}

function lineText(lastLine: string): string {
  return lastLine === '' ? '' : `; last line of its log: ${lastLine}`;
}

/** A length of time as people write it, for example `1.5 s`. */
export function seconds(length: Milliseconds): string {
  return length < 1000 ? `${length} ms` : `${Number((length / 1000).toFixed(1))} s`;
}
