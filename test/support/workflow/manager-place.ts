/** Places for managers that a test kills, and what is left in the store when all have come to an end. */
import { tenantName } from '../../../src/model/names.ts';
import type { DelegateId, Execution } from '../../../src/model/workflow.ts';
import type { WorkflowStore } from '../../../src/ports/workflow-store.ts';
import { V1, V2 } from './builders.ts';
import type { Recorded, Told } from './history-checker.ts';
import { ManagerProcess } from './manager-process.ts';

const PLACE_TENANTS = ['acme', 'beta'].map((name) => tenantName(name));

/** One place for a manager: when it is killed, the next one goes on with what it was to begin. */
export class Place {
  readonly #database: string;
  readonly #index: number;
  readonly #told: Told[] = [];
  #manager: ManagerProcess;
  #from = 0;

  constructor(database: string, index: number) {
    this.#database = database;
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
      database: this.#database,
      name: this.name,
      version: this.#index % 2 === 0 ? V1 : V2,
      begins: { from: this.#from, to: this.#from + number },
      tenants: PLACE_TENANTS,
      lease: 400,
    });
  }
}

/** How many executions somebody was told have begun. */
function begunOf(told: readonly Told[]): number {
  return new Set(told.flatMap((each) => (each.kind === 'Started' ? [each.idempotencyKey] : []))).size;
}

/** All that the store recorded of the managers of these places, and what they were told. */
export async function everything(store: WorkflowStore, places: readonly Place[]): Promise<Recorded> {
  const executions: Execution[] = [...(await store.executions({ limit: 100_000 }))];
  const histories = await Promise.all(executions.map(({ id }) => store.history(id)));
  const tenants = PLACE_TENANTS.flatMap((tenant) =>
    places.map(({ name }) => [`${tenant}-${name}` as DelegateId, tenant] as const),
  );
  return {
    executions,
    history: histories.flat(),
    told: places.flatMap(({ told }) => told),
    continues: new Map(),
    tenants: new Map(tenants),
    isOver: true,
  };
}

/** Whoever dies with an event ten times by bad luck leaves a dead letter, which an operator would revive. */
export async function isOver(store: WorkflowStore): Promise<boolean> {
  for (const { event } of await store.deadLetters({ limit: 10 })) await store.revive(event.id);
  const open = [...(await store.oldestOpen(V1, 1)), ...(await store.oldestOpen(V2, 1))];
  return open.length === 0;
}
