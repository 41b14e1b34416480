/** One container of a Pod as a process of this machine, on the Pod's address: started, probed, started again, ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container, Hook, Probe } from './pod.ts';

export interface Run {
  readonly container: Container;
  readonly address: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Called when it is ready or not any more, has ended or was started again. */
  readonly onChange: () => void;
}

/** Restarts wait so long, and twice as long with each, up to the longest. */
const FIRST_RESTART_MS = 1_000;
const LONGEST_RESTART_MS = 10_000;

export class ContainerProcess {
  readonly #run: Run;
  readonly #stop = new AbortController();
  #child: ChildProcess | undefined;
  #isReady = false;
  restarts = -1;

  constructor(run: Run) {
    this.#run = run;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Undefined while nothing runs. */
  get pid(): number | undefined {
    return this.#child?.exitCode === null && this.#child.signalCode === null ? this.#child.pid : undefined;
  }

  /** Runs it again and again, until it is ended. */
  async start(): Promise<void> {
    const { signal } = this.#stop;
    for (let wait = FIRST_RESTART_MS; !signal.aborted; wait = Math.min(2 * wait, LONGEST_RESTART_MS)) {
      this.restarts += 1;
      await this.#once();
      this.#become(false);
      await sleep(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  /** preStop, SIGTERM, and SIGKILL after the grace time, which the hook is part of. */
  async end(graceMs: number): Promise<void> {
    this.#stop.abort();
    const child = this.#child;
    if (child === undefined || this.pid === undefined) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const killer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await Promise.race([this.#hook(this.#run.container.lifecycle?.preStop), ended]);
    child.kill('SIGTERM');
    await ended;
    clearTimeout(killer);
    this.#become(false);
  }

  /** kill -9; it is started again. */
  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  /** As the machine's end would: at once, and nobody is told. */
  die(): void {
    this.#stop.abort();
    this.#child?.kill('SIGKILL');
  }

  async #once(): Promise<void> {
    const { container, environment, logFile } = this.#run;
    const [program = '', ...rest] = [...(container.command ?? []), ...(container.args ?? [])].map((part) =>
      part.replace(/\$\((\w+)\)/g, (whole, name: string) => environment[name] ?? whole),
    );
    const log = openSync(logFile, 'a');
    const child = spawn(program, rest, {
      stdio: ['ignore', log, log],
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
    });
    closeSync(log);
    this.#child = child;
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    const over = new AbortController();
    void ended.then(() => over.abort());
    await Promise.all([ended, this.#probe(container.readinessProbe, over.signal)]);
  }

  async #probe(probe: Probe | undefined, signal: AbortSignal): Promise<void> {
    if (probe === undefined) {
      this.#become(true);
      return;
    }
    const { periodSeconds = 10, failureThreshold = 3, timeoutSeconds = 1 } = probe;
    for (let failures = 0; !signal.aborted; ) {
      const isGood = await answers(probe, this.#run.address, timeoutSeconds * 1_000);
      if (signal.aborted) return;
      failures = isGood ? 0 : failures + 1;
      if (isGood) this.#become(true);
      else if (failures >= failureThreshold) this.#become(false);
      // A container that is not ready yet is asked more often than a real kubelet would: tests have less time.
      const wait = this.#isReady ? periodSeconds * 1_000 : Math.min(periodSeconds * 1_000, 200);
      await sleep(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  async #hook(hook: Hook | undefined): Promise<void> {
    if (hook?.sleep !== undefined) await sleep(hook.sleep.seconds * 1_000);
    if (hook?.httpGet !== undefined) {
      const { path = '/', port } = hook.httpGet;
      await fetch(`http://${this.#run.address}:${port}${path}`).catch(() => undefined);
    }
    const [program, ...rest] = hook?.exec?.command ?? [];
    if (program === undefined) return;
    const child = spawn(program, rest, {
      stdio: 'ignore',
      env: { PATH: process.env['PATH'], ...this.#run.environment },
    });
    await new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
  }

  #become(isReady: boolean): void {
    this.#isReady = isReady;
    this.#run.onChange();
  }
}

async function answers({ httpGet, tcpSocket }: Probe, address: string, timeoutMs: number): Promise<boolean> {
  if (httpGet !== undefined) {
    const url = `http://${address}:${httpGet.port}${httpGet.path ?? '/'}`;
    return fetch(url, { signal: AbortSignal.timeout(timeoutMs) }).then(
      async (response) => {
        await response.body?.cancel();
        return response.status < 400;
      },
      () => false,
    );
  }
  if (tcpSocket === undefined) throw new Error('the test kubelet knows probes by httpGet and tcpSocket');
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: tcpSocket.port, timeout: timeoutMs });
    const done = (isGood: boolean): void => {
      socket.destroy();
      resolve(isGood);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
    socket.once('timeout', () => done(false));
  });
}
