/**
 * The person at the keyboard: runs commands and shows them, notes in the history what each of them changes, and knows
 * from a probe of the gateway when it serves them.
 */
import { adminClient } from '../../src/admin/client.ts';
import { CONVERGENCE, wordOf } from '../../src/admin/enums.ts';
import type { ChangeResult } from '../../src/gen/switchyard/admin/v1/changes_pb.js';
import type { CommandResult } from '../../test/support/system/command-line.ts';
import { followWalk, type Walk, type Walked } from '../../test/support/system/walk.ts';
import type { History, Stage } from '../../test/support/traffic/history.ts';
import { Probe } from '../../test/support/traffic/probe.ts';
import { commandLines, type Screen } from './screen.ts';
import { SERVICE, STEPS } from './spec.ts';
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
  #moves = 0;
  #movesAtParity = 0;

  constructor(parts: { world: World; screen: Screen; history: History }) {
    this.#world = parts.world;
    this.#screen = parts.screen;
    this.#history = parts.history;
    this.#probe = new Probe(parts.world.gatewayAddress, '/healthz');
  }

  /** Runs a command, shows it and the beginning of what it said. */
  type(...args: readonly string[]): Promise<CommandResult> {
    return this.#run(args, LINES_SHOWN);
  }

  /** Runs a command that must succeed, shows it but not what it said, and gives that. */
  async quietly(...args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.#run(args, 0);
    if (exitCode !== 0)
      throw new Error(`switchyard ${args.join(' ')} ended with exit code ${exitCode}: ${stderr}`);
    return stdout;
  }

  /** Types a command that must succeed. */
  async order(...args: readonly string[]): Promise<void> {
    const { exitCode } = await this.type(...args);
    if (exitCode !== 0) throw new Error(`switchyard ${args.join(' ')} ended with exit code ${exitCode}`);
  }

  /** Types a command that changes routes, and waits until the gateway serves the change. */
  change(change: Change, ...args: readonly string[]): Promise<number> {
    return this.carryOut(change, () => this.order(...args));
  }

  /** Moves all default traffic by a call instead of a command: what it takes is Switchyard's time alone. */
  async call(change: Change, method: 'flip' | 'rollback', version: string): Promise<number> {
    const client = adminClient(this.#world.controller.server);
    const order = { service: SERVICE, actor: 'demo', reason: 'measured', dryRun: false };
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
    if (servedBy !== undefined) await this.#count(servedBy);
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
    return followWalk({ service: SERVICE, steps: STEPS, world, screen, history, probe }, walk);
  }

  /** How many flips and rollbacks were ordered, and before how many all delegates were at the version that they went to. */
  get moves(): { readonly made: number; readonly atParity: number } {
    return { made: this.#moves, atParity: this.#movesAtParity };
  }

  close(): void {
    this.#probe.close();
  }

  async #run(args: readonly string[], linesShown: number): Promise<CommandResult> {
    const result = await this.#world.run(args);
    const shown = (text: string) => text.replaceAll(`${this.#world.folder}/`, '');
    this.#screen.print(commandLines(['switchyard', ...args.map(shown)], '       '));
    const lines = shown(`${result.stdout}${result.stderr}`).trimEnd().split('\n');
    for (const line of lines.slice(0, linesShown)) this.#screen.say(line);
    const more = lines.length - linesShown;
    if (more > 0 && linesShown > 0) this.#screen.say(`… and ${more} lines more`);
    return result;
  }

  async #count(version: string): Promise<void> {
    this.#moves += 1;
    if ((await this.#world.missingAt(version)).length === 0) this.#movesAtParity += 1;
  }
}

function requireEverywhere(result: ChangeResult | undefined): void {
  const state = result?.convergence?.state;
  if (state === CONVERGENCE.Everywhere) return;
  const word = state === undefined ? 'unknown' : wordOf(CONVERGENCE, state);
  throw new Error(`${result?.message ?? 'a call'} ended ${word}, not Everywhere`);
}
