/**
 * What every store checks before it writes, whatever it writes to: a commit and the stored generations enter, and
 * either nothing happens or the reason why the commit is refused is thrown. One place, so that all stores refuse alike.
 */
import type { ServiceName } from '../model/names.ts';
import { type Commit, type EventQuery, GenerationConflictError, type ProxySeen } from '../ports/store.ts';
import { storedEvent, storedProxy, storedService } from './stored/records.ts';
import { storedRoll } from './stored/roll.ts';
import { storedRollout } from './stored/rollout.ts';
import { assertReadable } from './stored/shape.ts';

/** What a store knows before a commit. */
export interface CommitGround {
  /** The stored generation of a service; 0 when it is not stored. */
  readonly generationOf: (service: ServiceName) => number;
  readonly nextPublication: number;
}

/**
 * Refuses a commit that does not follow from what is stored: GenerationConflictError where another writer was first,
 * RangeError or TypeError where the commit can never be right. What could not be read back is not written either.
 */
export function checkCommit(commit: Commit, ground: CommitGround): void {
  const named = new Set<ServiceName>();
  for (const { name, generation } of commit.services ?? []) {
    nameOnce(named, name);
    compareGeneration({ service: name, expected: generation - 1, actual: ground.generationOf(name) });
  }
  for (const record of commit.services ?? []) {
    assertReadable(storedService, record, `service ${record.name}`);
    if (record.rollout !== undefined && record.rollout.service !== record.name) {
      throw new TypeError(`the record of ${record.name} has a rollout of ${record.rollout.service}`);
    }
  }
  for (const rollout of commit.rollouts ?? [])
    assertReadable(storedRollout, rollout, `rollout ${rollout.id}`);
  for (const roll of commit.rolls ?? []) assertReadable(storedRoll, roll, `the roll of ${roll.rollout}`);
  for (const event of commit.events ?? []) {
    assertReadable(storedEvent, { ...event, sequence: 1 }, `event ${event.action}`);
  }
  for (const { name, generation } of commit.deletions ?? []) {
    nameOnce(named, name);
    compareGeneration({
      service: name,
      expected: generation,
      actual: ground.generationOf(name),
    });
    if (generation === 0) throw new RangeError(`${name} is not stored, so that it cannot be deleted`);
  }
  if (commit.nextPublication !== undefined)
    checkNextPublication(commit.nextPublication, ground.nextPublication);
  if (commit.publication !== undefined)
    checkPublication(commit.publication, commit.nextPublication ?? ground.nextPublication);
}

/** Whether a commit holds anything to write. */
export function isEmptyCommit(commit: Commit): boolean {
  return (
    (commit.services ?? []).length === 0 &&
    (commit.deletions ?? []).length === 0 &&
    (commit.rollouts ?? []).length === 0 &&
    (commit.rolls ?? []).length === 0 &&
    (commit.events ?? []).length === 0 &&
    commit.nextPublication === undefined
  );
}

/** Refuses a query that no store can answer. Throws RangeError. */
export function checkEventQuery(query: EventQuery): void {
  if (!Number.isSafeInteger(query.limit) || query.limit < 1) {
    throw new RangeError(`limit must be a whole number of at least 1, not ${query.limit}`);
  }
  if (
    query.afterSequence !== undefined &&
    (!Number.isSafeInteger(query.afterSequence) || query.afterSequence < 0)
  ) {
    throw new RangeError(`afterSequence must be a whole number of at least 0, not ${query.afterSequence}`);
  }
}

/** Refuses a list that names a proxy twice (one of the two would be lost) or that could not be read back. Throws TypeError. */
export function checkProxies(proxies: readonly ProxySeen[]): void {
  const named = new Set<string>();
  for (const proxy of proxies) {
    if (named.has(proxy.id)) throw new TypeError(`the list names proxy ${JSON.stringify(proxy.id)} twice`);
    named.add(proxy.id);
    assertReadable(storedProxy, proxy, `proxy ${JSON.stringify(proxy.id)}`);
  }
}

function nameOnce(named: Set<ServiceName>, name: ServiceName): void {
  if (named.has(name)) throw new TypeError(`a commit may name ${name} only once`);
  named.add(name);
}

function compareGeneration(compared: { service: ServiceName; expected: number; actual: number }): void {
  if (compared.expected !== compared.actual) throw new GenerationConflictError(compared);
}

function checkNextPublication(next: number, stored: number): void {
  if (!Number.isSafeInteger(next) || next < stored) {
    throw new RangeError(
      `nextPublication must be a whole number of at least ${stored}, not ${next}: numbers below may have been used`,
    );
  }
}

function checkPublication(publication: number, next: number): void {
  if (!Number.isSafeInteger(publication) || publication < 1 || publication >= next) {
    throw new RangeError(
      `publication must be a whole number from 1 to ${next - 1}, not ${publication}: numbers from ${next} on are not reserved`,
    );
  }
}
