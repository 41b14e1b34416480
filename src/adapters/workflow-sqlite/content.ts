/** All that a workflow store can do with its open file. Each call runs inside a transaction that its caller holds. */
import type { DatabaseSync } from 'node:sqlite';
import { instant } from '../../model/instant.ts';
import { apply } from './apply.ts';
import { claimEvents, type Turn } from './claim.ts';
import { command } from './commands.ts';
import { delegates, saveDelegates } from './delegates.ts';
import { deadLetters, giveBack, renewEvents, revive } from './events.ts';
import { execution, executions, oldestOpen, prune, start } from './executions.ts';
import { history } from './history.ts';
import type { Handlers } from './protocol.ts';
import type { Scope } from './scope.ts';
import { Sql } from './sql.ts';
import { claimTasks } from './task-claim.ts';
import { finishTask, openTasks, renewTasks, returnTask } from './tasks.ts';
import {
  compatibleVersions,
  count,
  declareContinuation,
  fenceAndCount,
  fencedSince,
  lift,
} from './versions.ts';

export class WorkflowContent {
  readonly #sql: Sql;
  readonly #turn: Turn = { last: '' };
  #due = false;

  readonly handlers: Handlers = {
    now: () => this.#scope().now,
    start: (request) => start(this.#scope(), request),
    claimEvents: (request) => claimEvents(this.#scope(), this.#turn, request),
    apply: (request) => apply(this.#scope(), request),
    giveBack: (request) => giveBack(this.#scope(), request),
    renewEvents: (request) => renewEvents(this.#scope(), request),
    claimTasks: (request) => claimTasks(this.#scope(), request),
    renewTasks: (request) => renewTasks(this.#scope(), request),
    finishTask: (request) => finishTask(this.#scope(), request),
    returnTask: (lease) => returnTask(this.#scope(), lease),
    command: (asked) => command(this.#scope(), asked),
    declareContinuation: (declared) => declareContinuation(this.#scope(), declared),
    compatibleVersions: (version) => compatibleVersions(this.#scope(), version),
    execution: (id) => execution(this.#scope(), id),
    executions: (query) => executions(this.#scope(), query),
    history: (id) => history(this.#scope(), id),
    openTasks: (id) => openTasks(this.#scope(), id),
    deadLetters: (query) => deadLetters(this.#scope(), query),
    revive: (event) => revive(this.#scope(), event),
    fenceAndCount: (version) => fenceAndCount(this.#scope(), version),
    lift: (version) => lift(this.#scope(), version),
    fencedSince: (version) => fencedSince(this.#scope(), version),
    count: (version) => count(this.#scope(), version),
    oldestOpen: (version, limit) => oldestOpen(this.#scope(), version, limit),
    saveDelegates: (manager, registrations) => saveDelegates(this.#scope(), manager, registrations),
    delegates: (query) => delegates(this.#scope(), query),
    prune: (request) => prune(this.#scope(), request),
  };

  constructor(database: DatabaseSync) {
    this.#sql = new Sql(database);
  }

  /** Whether a call since the last time has made something due. */
  takeDue(): boolean {
    const due = this.#due;
    this.#due = false;
    return due;
  }

  #scope(): Scope {
    return {
      sql: this.#sql,
      now: instant(Date.now()),
      madeDue: () => {
        this.#due = true;
      },
    };
  }
}
