/** A controller as a process of its own, on ports and in a folder that stay the same when it is started again. */
import { join } from 'node:path';
import { adminClient } from '../../../src/admin/client.ts';
import { CONTROLLER_STATE } from '../../../src/admin/enums.ts';
import { freePort } from '../free-port.ts';
import { Child } from './child.ts';
import { SWITCHYARD } from './command-line.ts';

/** A program that takes the arguments of `switchyard`. */
export interface Program {
  readonly command: string;
  readonly arguments: readonly string[];
}

/** The program of this clone. */
export const THIS_RELEASE: Program = { command: SWITCHYARD, arguments: [] };

export class ControllerProcess {
  /** How clients name it: `unix:PATH`. */
  readonly server: string;
  readonly dataDir: string;
  readonly xdsPort: number;
  /** Where it serves metrics and health, `127.0.0.1:PORT`. */
  readonly httpAddress: string;
  readonly #folder: string;
  readonly #arguments: readonly string[];
  #program: Program;
  #child: Child | undefined;

  private constructor(folder: string, ports: { xds: number; http: number }, program: Program) {
    const socket = join(folder, 'admin.sock');
    this.server = `unix:${socket}`;
    this.dataDir = join(folder, 'data');
    this.xdsPort = ports.xds;
    this.httpAddress = `127.0.0.1:${ports.http}`;
    this.#folder = folder;
    this.#program = program;
    this.#arguments = [
      'controller',
      `--data-dir=${this.dataDir}`,
      `--xds-address=127.0.0.1:${ports.xds}`,
      `--http-address=${this.httpAddress}`,
      `--admin-socket=${socket}`,
    ];
  }

  /** Chooses ports, where none are given; nothing runs yet. Its data, socket and log are kept in `folder`. */
  static async in(
    folder: string,
    program: Program = THIS_RELEASE,
    ports?: { readonly xds: number; readonly http: number },
  ): Promise<ControllerProcess> {
    const chosen = ports ?? { xds: await freePort(), http: await freePort() };
    return new ControllerProcess(folder, chosen, program);
  }

  /** From its next start on it is another program: another release, in the same place. */
  become(program: Program): void {
    this.#program = program;
  }

  /** Whether it was ever started. */
  get started(): boolean {
    return this.#child !== undefined;
  }

  /** Absent while it does not run. */
  get pid(): number | undefined {
    return this.#child?.running === true ? this.#child.pid : undefined;
  }

  /**
   * Starts it, for the first time or again, and resolves when it answers and has loaded its state. Rejects with what it
   * said where it ends instead, or has not answered after `withinMs`.
   */
  async start(flags: readonly string[] = ['--allow-commands'], withinMs = 30_000): Promise<void> {
    const child = await Child.start({
      name: 'the controller',
      command: this.#program.command,
      arguments: [...this.#program.arguments, ...this.#arguments, ...flags],
      logFile: join(this.#folder, 'controller.log'),
    });
    this.#child = child;
    await child.until('an answer', () => this.#answers(), withinMs);
  }

  /** kill -9. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child?.signal('SIGKILL');
    await this.#child?.ended;
  }

  /** Stops the controller; instances go on running. */
  async stop(): Promise<void> {
    await this.#child?.stop();
  }

  async #answers(): Promise<boolean> {
    const client = adminClient(this.server);
    try {
      const { state } = await client.call('getInfo', {}, new Date(Date.now() + 2000));
      return state === CONTROLLER_STATE.Ready || state === CONTROLLER_STATE.AwaitingApply;
    } finally {
      client.close();
    }
  }
}
