/**
 * kill -9 of managers that share a workflow file, at any moment: no step is applied twice, nothing that was acknowledged
 * is lost, every execution ends on its version, and the file is whole.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { openWorkflowSqlite } from '../../../../src/adapters/workflow-sqlite/store.ts';
import { tenantName } from '../../../../src/model/names.ts';
import type { DelegateId, Execution } from '../../../../src/model/workflow.ts';
import type { WorkflowStore } from '../../../../src/ports/workflow-store.ts';
import { eventually } from '../../../support/eventually.ts';
import { full, seed } from '../../../support/seed.ts';
import { temporaryFolder } from '../../../support/store-folder.ts';
import { V1, V2 } from '../../../support/workflow/builders.ts';
import { counted } from '../../../support/workflow/counting.ts';
import {
  checkHistory,
  NO_FINDINGS,
  type Recorded,
  type Told,
} from '../../../support/workflow/history-checker.ts';
import { ManagerProcess } from '../../../support/workflow/manager-process.ts';

const KILLS = full() ? 100 : 8;
const PLACES = [0, 1, 2];
const TENANTS = ['acme', 'beta'].map((name) => tenantName(name));

/** One place for a manager: when it is killed, the next one goes on with what it was to begin. */
class Place {
  readonly #file: string;
  readonly #index: number;
  readonly #told: Told[] = [];
  #manager: ManagerProcess;
  #from = 0;

  constructor(file: string, index: number) {
    this.#file = file;
    this.#index = index;
    this.#manager = this.#start(Number.MAX_SAFE_INTEGER);
  }

  get name(): string {
    return `place-${this.#index}`;
  }

  get told(): readonly Told[] {
    return [...this.#told, ...this.#manager.told];
  }

  /** How many executions it was told have begun. */
  get begun(): number {
    return begunOf(this.told);
  }

  verifyAlive(): void {
    this.#manager.verifyAlive();
  }

  async kill(): Promise<void> {
    await this.#manager.kill();
  }

  /** The next one goes on with the first execution that nobody has acknowledged: it may have begun all the same. */
  async replace({ isLast = false } = {}): Promise<void> {
    await this.kill();
    this.#told.push(...this.#manager.told);
    this.#from = begunOf(this.#told);
    this.#manager = this.#start(isLast ? 1 : Number.MAX_SAFE_INTEGER);
  }

  /** Whether the last one was told that its one execution has begun. */
  get isDone(): boolean {
    return this.begun > this.#from;
  }

  #start(number: number): ManagerProcess {
    return new ManagerProcess({
      file: this.#file,
      name: this.name,
      version: this.#index % 2 === 0 ? V1 : V2,
      begins: { from: this.#from, to: this.#from + number },
      tenants: TENANTS,
      lease: 400,
    });
  }
}

/** How many executions somebody was told have begun. */
function begunOf(told: readonly Told[]): number {
  return new Set(told.flatMap((each) => (each.kind === 'Started' ? [each.idempotencyKey] : []))).size;
}

/** Whom to kill: after it has been told of so many things more, and so many milliseconds; or while it starts. */
function moments(): readonly {
  readonly victim: number;
  readonly done: number;
  readonly milliseconds: number;
}[] {
  const victim = fc.nat(PLACES.length - 1);
  const moment = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ victim, done: fc.integer({ min: 1, max: 12 }), milliseconds: fc.nat(12) }),
    },
    { weight: 1, arbitrary: fc.record({ victim, done: fc.constant(0), milliseconds: fc.nat(500) }) },
  );
  return fc.sample(moment, { seed: seed(), numRuns: KILLS });
}

async function everything(store: WorkflowStore, told: readonly Told[]): Promise<Recorded> {
  const executions: Execution[] = [...(await store.executions({ limit: 100_000 }))];
  const histories = await Promise.all(executions.map(({ id }) => store.history(id)));
  const places = PLACES.map((index) => `place-${index}`);
  const tenants = TENANTS.flatMap((tenant) =>
    places.map((place) => [`${tenant}-${place}` as DelegateId, tenant] as const),
  );
  return {
    executions,
    history: histories.flat(),
    told,
    continues: new Map(),
    tenants: new Map(tenants),
    isOver: true,
  };
}

/** Whoever dies with an event ten times by bad luck leaves a dead letter, which an operator would revive. */
async function isOver(store: WorkflowStore): Promise<boolean> {
  for (const { event } of await store.deadLetters({ limit: 10 })) await store.revive(event.id);
  const open = [...(await store.oldestOpen(V1, 1)), ...(await store.oldestOpen(V2, 1))];
  return open.length === 0;
}

test(
  `${KILLS} kills of three managers on one file: nothing is lost, nothing is applied twice`,
  async () => {
    const file = join(temporaryFolder(), 'workflow.db');
    const places = PLACES.map((index) => new Place(file, index));
    const told = (): readonly Told[] => places.flatMap((place) => place.told);
    onTestFinished(async () => {
      for (const place of places) await place.kill();
    });
    for (const { victim, done, milliseconds } of moments()) {
      const place = places[victim] as Place;
      const before = place.told.length;
      const isFarEnough = (): boolean => place.told.length >= before + done;
      await eventually(isFarEnough, { within: 30_000, what: `${place.name} at work` });
      await wait(milliseconds);
      await place.replace();
    }
    for (const place of places) await place.replace({ isLast: true });
    await eventually(() => existsSync(file));
    const store = await openWorkflowSqlite({ file });
    onTestFinished(() => store.close());
    await eventually(
      async () => {
        for (const place of places) place.verifyAlive();
        return places.every(({ isDone }) => isDone) && isOver(store);
      },
      { within: 60_000, every: 100, what: 'the end of all executions' },
    );
    const recorded = await everything(store, told());
    expect(recorded.executions).toHaveLength(places.reduce((sum, { begun }) => sum + begun, 0));
    expect(checkHistory(recorded)).toEqual(NO_FINDINGS);
    const lines = Map.groupBy(recorded.history, ({ kind }) => kind);
    const ended = (lines.get('TaskFinished')?.length ?? 0) + (lines.get('TaskRetried')?.length ?? 0);
    console.log(
      `${KILLS} kills: ${recorded.executions.length} executions ended, ${lines.get('Stepped')?.length} steps applied, ` +
        `${(lines.get('TaskLeased')?.length ?? 0) - ended} tasks were leased anew`,
    );
    for (const { data, result, state, revision, id } of recorded.executions) {
      const { length } = data as unknown as { length: number };
      const commands = recorded.history.filter(
        ({ execution, kind, step }) => execution === id && kind === 'Stepped' && step === 'Approve',
      );
      expect({ state, result, revision: revision - commands.length }).toEqual({
        state: 'Succeeded',
        result: counted(length).result,
        revision: counted(length).steps,
      });
    }
    const database = new DatabaseSync(file);
    onTestFinished(() => database.close());
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  },
  KILLS * 10_000 + 120_000,
);
