/** Open work as people read it: what it is made of, and how sure a zero is. Pure. */
import { DRAIN_CERTIFICATE, wordOf } from '../../admin/enums.ts';
import {
  DrainCertificate,
  type WorkQueue,
  type WorkSplit,
} from '../../gen/switchyard/admin/v1/resources_pb.js';
import { countText } from './numbers.ts';

/** `1 execution, 9 events (2 queued, 3 leased, 4 delayed), 5 tasks (5 queued)`; empty where nothing is open, or not told. */
export function splitText(split: WorkSplit | undefined): string {
  if (split === undefined) return '';
  const { executions, events, tasks, deadLetters } = split;
  return [
    ...numbered(executions, 'execution'),
    ...queueText(events, 'event'),
    ...queueText(tasks, 'task'),
    ...numbered(deadLetters, 'dead letter'),
  ].join(', ');
}

/** `certificate: atomic`; empty where the work was not counted. */
export function certificateText(certificate: DrainCertificate): string {
  return certificate === DrainCertificate.UNSPECIFIED
    ? ''
    : `certificate: ${wordOf(DRAIN_CERTIFICATE, certificate)}`;
}

function queueText(queue: WorkQueue | undefined, noun: string): readonly string[] {
  if (queue === undefined) return [];
  const { queued, leased, delayed } = queue;
  const states = [
    [queued, 'queued'],
    [leased, 'leased'],
    [delayed, 'delayed'],
  ] as const;
  const parts = states.filter(([count]) => count > 0n).map(([count, word]) => `${countText(count)} ${word}`);
  return numbered(queued + leased + delayed, noun).map((text) => `${text} (${parts.join(', ')})`);
}

function numbered(count: bigint, noun: string): readonly string[] {
  return count === 0n ? [] : [`${countText(count)} ${noun}${count === 1n ? '' : 's'}`];
}
