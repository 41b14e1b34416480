/**
 * Services that move together: they enter each step of traffic in one commit and so in one publication, and where one
 * goes back, all do. Everything else each does by itself.
 */
import { isOpen } from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import { isAfterFlip, movesTraffic } from './steps.ts';
import { type Move, moveBack, nextMove, type Walker } from './walk.ts';

/** The records whose rollouts began together with this one's, itself included; alone it is a group of one. */
export function groupOf(record: ServiceRecord, all: Iterable<ServiceRecord>): readonly ServiceRecord[] {
  const { rollout } = record;
  if (rollout === undefined || rollout.group.length === 0) return [record];
  return [...all].filter(
    ({ name, rollout: other }) => rollout.group.includes(name) && other?.startedAt === rollout.startedAt,
  );
}

/** The next move of each member whose rollout goes on. `records` are all members, ended ones too. */
export function groupMoves(
  walkers: readonly Walker[],
  records: readonly ServiceRecord[],
): ReadonlyMap<Walker, Move> {
  const moves = new Map(walkers.map((walker) => [walker, nextMove(walker)]));
  if (records.length < 2) return moves;
  const failure = firstFailure(moves, records);
  if (failure !== undefined) {
    const backs = walkers.map((walker): [Walker, Move] => {
      const own = moves.get(walker);
      if (own?.kind === 'End' && own.isBad) return [walker, own];
      const because = `the group moves back together: ${failure}`;
      return [walker, moveBack(walker, 'GroupMember', because, false)];
    });
    return new Map(backs);
  }
  return new Map([...moves].map(([walker, move]) => [walker, together(walker, move, moves)]));
}

/** A member that ended, or is about to end, without success. */
function firstFailure(
  moves: ReadonlyMap<Walker, Move>,
  records: readonly ServiceRecord[],
): string | undefined {
  for (const { name, rollout } of records) {
    if (rollout !== undefined && !isOpen(rollout.state) && rollout.state !== 'Succeeded') {
      return `${name} is ${rollout.state} (${rollout.because})`;
    }
  }
  for (const [{ record }, move] of moves) {
    if (move.kind === 'End' && move.state !== 'Succeeded') return `${record.name}: ${move.because}`;
  }
  return undefined;
}

/** A step that moves traffic, and the success, are taken when all members would: until then all can go back together. */
function together(walker: Walker, move: Move, moves: ReadonlyMap<Walker, Move>): Move {
  const late = [...moves]
    .filter(([other, theirs]) => other !== walker && !isAsFar(move, other, theirs))
    .map(([{ record }]) => record.name);
  if (late.length === 0) return move;
  return {
    kind: 'Stay',
    state: 'Waiting',
    reason: 'Group',
    because: `waits for ${late.join(', ')}: the group moves together`,
  };
}

function isAsFar(move: Move, other: Walker, theirs: Move): boolean {
  if (move.kind === 'End' && move.state === 'Succeeded') {
    return theirs.kind === 'End' && theirs.state === 'Succeeded';
  }
  if (move.kind !== 'Enter' || !movesTraffic(move.step)) return true;
  return isLevel(other, theirs, move.step);
}

function isLevel({ rollout }: Walker, move: Move, step: Extract<Move, { kind: 'Enter' }>['step']): boolean {
  if (move.kind === 'Enter') {
    return (
      move.step.kind === step.kind &&
      (move.step.kind !== 'Shift' || step.kind !== 'Shift' || move.step.weight === step.weight)
    );
  }
  return isAfterFlip(rollout.step) && step.kind !== 'Shift';
}
