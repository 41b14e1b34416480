/**
 * The person at the keyboard: runs commands and shows them, notes in the history what each of them changes, and knows
 * from a probe of the gateway when it serves them.
 */
import { adminClient } from '../../src/admin/client.ts';
import { CONVERGENCE, wordOf } from '../../src/admin/enums.ts';
import type { ChangeResult } from '../../src/gen/switchyard/admin/v1/changes_pb.js';
import type { CommandResult } from '../../test/support/system/command-line.ts';
import type { History, Stage } from '../../test/support/traffic/history.ts';
import { Probe } from '../../test/support/traffic/probe.ts';
import type { Screen } from './screen.ts';
import { followWalk, type Walk, type Walked } from './walk.ts';
import type { World } from './world.ts';

const SERVED_WITHIN_MS = 30_000;
const LINES_SHOWN = 6;

/** What a command changes, and who serves all default traffic when it has reached the gateway. */
interface Change {
  readonly stage: Stage;
  readonly servedBy?: string;
}

export class Operator {
  readonly #world: World;
  readonly #screen: Screen;
  readonly #history: History;
  readonly #probe: Probe;

  constructor(parts: { world: World; screen: Screen; history: History }) {
    this.#world = parts.world;
    this.#screen = parts.screen;
    this.#history = parts.history;
    this.#probe = new Probe(parts.world.gatewayAddress, '/healthz');
  }

  /** Runs a command, shows it and the beginning of what it said. */
  async type(...args: string[]): Promise<CommandResult> {
    const result = await this.#world.run(args);
    const folder = `${this.#world.folder}/`;
    this.#screen.print([`       $ switchyard ${args.join(' ').replaceAll(folder, '')}`]);
    const lines = `${result.stdout}${result.stderr}`.replaceAll(folder, '').trimEnd().split('\n');
    for (const line of lines.slice(0, LINES_SHOWN)) this.#screen.say(line);
    if (lines.length > LINES_SHOWN) this.#screen.say(`… and ${lines.length - LINES_SHOWN} lines more`);
    return result;
  }

  /** Types a command that must succeed. */
  async order(...args: string[]): Promise<void> {
    const { exitCode } = await this.type(...args);
    if (exitCode !== 0) throw new Error(`switchyard ${args.join(' ')} ended with exit code ${exitCode}`);
  }

  /** Types a command that changes routes, and waits until the gateway serves the change. */
  change(change: Change, ...args: string[]): Promise<number> {
    return this.carryOut(change, () => this.order(...args));
  }

  /** Moves all default traffic by a call instead of a command: what it takes is Switchyard's time alone. */
  async call(change: Change, method: 'flip' | 'rollback', version: string): Promise<number> {
    const client = adminClient(this.#world.controller.server);
    const order = { service: 'manager', actor: 'demo', reason: 'measured', dryRun: false };
    try {
      // The first call on a connection pays for it; that is not what is measured.
      await client.call('getInfo', {});
      return await this.carryOut(change, async () => {
        const { result } =
          method === 'flip'
            ? await client.call('flip', { change: order, version, waiveGates: false })
            : await client.call('rollback', { change: order, to: '' });
        requireEverywhere(result);
      });
    } finally {
      client.close();
    }
  }

  /**
   * Gives an order that changes routes; it is through when `give` resolves and, if somebody is to serve all default
   * traffic then, when the gateway shows it. Milliseconds from the order to the gateway's first answer by the new
   * primary, else to the end of `give`.
   */
  async carryOut({ stage, servedBy }: Change, give: () => Promise<void>): Promise<number> {
    const failed = new AbortController();
    const signal = AbortSignal.any([failed.signal, AbortSignal.timeout(SERVED_WITHIN_MS)]);
    const startedAt = performance.now();
    const pending = this.#history.begin({ stage, at: startedAt });
    const served = servedBy === undefined ? undefined : this.#probe.untilServedBy(servedBy, signal);
    try {
      const [servedAt, givenAt] = await Promise.all([served, give().then(() => performance.now())]);
      pending.converged(await this.#probe.afterOneAnswer());
      return (servedAt ?? givenAt) - startedAt;
    } catch (error) {
      failed.abort();
      throw error;
    }
  }

  /** Gives an order that begins a rollout, and looks on until the rollout has ended by itself. */
  follow(walk: Walk): Promise<Walked> {
    const [world, screen, history, probe] = [this.#world, this.#screen, this.#history, this.#probe];
    return followWalk({ world, screen, history, probe }, walk);
  }

  close(): void {
    this.#probe.close();
  }
}

function requireEverywhere(result: ChangeResult | undefined): void {
  const state = result?.convergence?.state;
  if (state === CONVERGENCE.Everywhere) return;
  const word = state === undefined ? 'unknown' : wordOf(CONVERGENCE, state);
  throw new Error(`${result?.message ?? 'a call'} ended ${word}, not Everywhere`);
}
