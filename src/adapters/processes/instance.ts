/**
 * One instance, kept running: its record enters; its state for operators leaves. It is started, probed, restarted
 * when it ends, and at last stopped. What it does is written down before it is done, so that whoever comes after us
 * can go on from any point.
 */
import type { Instance, InstanceState } from '../../model/instance.ts';
import type { Instant, Milliseconds } from '../../model/instant.ts';
import type { ProcessesRuntimeSpec } from '../../model/spec.ts';
import { noteFailure } from './failure.ts';
import { findFamily } from './family.ts';
import { hasEnded } from './identity.ts';
import { KeptRecord } from './kept-record.ts';
import { whoListens } from './listeners.ts';
import { type MainProcess, type ProcessEnd, takeUp } from './main-process.ts';
import { probe } from './probe.ts';
import { bootId } from './proc.ts';
import { type ProbedState, watchReadiness } from './readiness.ts';
import { describeEnd } from './reasons.ts';
import type { InstanceRecord } from './record.ts';
import { findLeft, type InstanceTools, noteRunning, startMain } from './start.ts';
import { endAll, firstOfStopping, type Stopping, stopProcesses } from './stopping.ts';
import { withLaunchOf } from './wish.ts';

const HOST = '127.0.0.1';
/** Time before something that failed on our side is tried again. */
const RETRY: Milliseconds = 1000;

export class SupervisedInstance {
  /** Resolves when what a controller before left running has been looked at. */
  readonly settled: Promise<void>;
  readonly #settle: () => void;
  readonly #tools: InstanceTools;
  readonly #record: KeptRecord;
  readonly #onChange: () => void;
  readonly #stop = new AbortController();
  readonly #leave = new AbortController();
  readonly #interrupted = AbortSignal.any([this.#stop.signal, this.#leave.signal]);
  #shown: { readonly state: InstanceState; readonly reason: string; readonly since: Instant };
  #main: MainProcess | undefined;
  /** Processes of an earlier start may be there. */
  #mayHaveProcesses: boolean;
  /** How the start before ended. */
  #lastEnd: string | undefined;
  /** Bytes in the log before this start. */
  #logStart = 0;
  #work: Promise<void> = Promise.resolve();
  /** Why it could not be watched when that was last tried. */
  #trouble: string | undefined;

  /** `isNew`: its record has just been made, so that nothing of it can run. */
  constructor(made: { record: InstanceRecord; isNew: boolean; tools: InstanceTools; onChange: () => void }) {
    const { record, isNew, tools, onChange } = made;
    this.#record = new KeptRecord(tools.journal, record);
    this.#mayHaveProcesses = !isNew;
    this.#tools = tools;
    this.#onChange = onChange;
    this.#shown = { state: 'Starting', reason: 'about to be started', since: tools.clock.now() };
    const { promise, resolve } = Promise.withResolvers<void>();
    this.settled = promise;
    this.#settle = resolve;
    if (record.port !== 0) tools.ports.hold(record.port, record.id);
    if (record.stopSince !== undefined) this.#beginStop();
  }

  get record(): InstanceRecord {
    return this.#record.current;
  }

  get isStopping(): boolean {
    return this.#record.current.stopSince !== undefined;
  }

  /** What keeps us from looking after it as we should. */
  get problems(): readonly string[] {
    return [this.#record.problem, this.#trouble].filter((problem) => problem !== undefined);
  }

  /** As operators see it. */
  view(): Instance {
    const { id, service, version, port, restarts, givenUp } = this.#record.current;
    const address = { host: HOST, port };
    return { id, service, version, address, restarts, ...this.#shown, ...(givenUp && { givenUp }) };
  }

  /** Looks for the process that a controller before left running. Called once, before `run`, where there was one. */
  async takeUp(): Promise<void> {
    const { process, wasReady } = this.#record.current;
    const identity = await findLeft(this.#record);
    if (identity === undefined) {
      // After a reboot nobody is to blame, so that it starts without a wait.
      if (process.kind === 'Running' && process.identity.bootId === bootId())
        this.#lastEnd = 'ended while no controller looked on';
      return;
    }
    if (process.kind === 'Intended')
      await noteRunning({ record: this.#record, tools: this.#tools }, identity);
    this.#main = takeUp(identity, { clock: this.#tools.clock, signal: this.#leave.signal });
    if (!this.isStopping)
      this.#show(
        wasReady ? 'Ready' : 'Starting',
        `process ${identity.pid} runs on from the controller before`,
      );
  }

  /** Begins to keep it running or to stop it; `onGone` is called when it is stopped and nothing of it is kept. */
  run(onGone: () => void): void {
    // What is on its way out has been looked at: nobody waits for its end.
    if (this.#main === undefined || this.isStopping) this.#settle();
    this.#work = this.#live().then(onGone, (error) => {
      if (!this.#leave.signal.aborted) throw error;
    });
  }

  /** Takes what a newer wish says about supervision; the command, its folder and its environment stay. */
  adjust(spec: ProcessesRuntimeSpec): void {
    this.#record.set({ spec: withLaunchOf(spec, this.#record.current.spec) });
  }

  /** Decides that it ends; resolves once that is recorded, and rejects where it cannot be. There is no way back. */
  async stop(): Promise<void> {
    if (this.isStopping) return;
    await this.#record.write({ stopSince: this.#tools.clock.now() });
    this.#beginStop();
  }

  /** Looks no more; its processes go on as they are. */
  async leave(): Promise<void> {
    this.#leave.abort();
    this.#settle();
    await this.#work;
  }

  async #live(): Promise<void> {
    if (this.#lastEnd !== undefined) await this.#failed(this.#lastEnd);
    while (!this.#stop.signal.aborted) {
      this.#leave.signal.throwIfAborted();
      try {
        if (this.#record.current.givenUp !== undefined) {
          await this.#rest(this.#record.current.givenUp);
          continue;
        }
        this.#main ??= await this.#start();
        if (this.#main !== undefined) await this.#keepUp(this.#main);
      } catch (error) {
        this.#leave.signal.throwIfAborted();
        await this.#troubled((error as Error).message);
      }
    }
    await this.#end();
  }

  /** Something went wrong on our side: a start failed, or a running process could not be watched, which it must not suffer for. */
  async #troubled(because: string): Promise<void> {
    if (this.#main === undefined || hasEnded(this.#main.identity)) {
      this.#main = undefined;
      await this.#failed(because);
      return;
    }
    this.#trouble = `${this.#record.current.id} cannot be watched now: ${because}`;
    this.#settle();
    this.#onChange();
    await this.#tools.clock.sleep(RETRY, this.#interrupted).catch(() => undefined);
  }

  async #start(): Promise<MainProcess | undefined> {
    const again = this.#lastEnd === undefined ? '' : ` again; before, it ${this.#lastEnd}`;
    this.#show('Starting', `being started${again}`);
    this.#logStart = await this.#tools.logs.size(this.#record.current.id);
    const mayHaveProcesses = this.#mayHaveProcesses;
    this.#mayHaveProcesses = true;
    const { signal: leave } = this.#leave;
    return startMain({
      record: this.#record,
      tools: this.#tools,
      mayHaveProcesses,
      leave,
      interrupted: this.#interrupted,
    });
  }

  /** Watches over a running process until it ends, must end, or is to be stopped. */
  async #keepUp(main: MainProcess): Promise<void> {
    let end: ProcessEnd | undefined;
    const over = new AbortController();
    void main.ended.then((how) => {
      end = how;
      over.abort();
    });
    const outcome = await this.#watch(main, AbortSignal.any([over.signal, this.#interrupted]));
    this.#settle();
    this.#leave.signal.throwIfAborted();
    if (this.#stop.signal.aborted) return;
    if (outcome === 'PortTaken') await endAll(this.#stopping(main));
    this.#main = undefined;
    const port = this.#record.current.port;
    const because =
      outcome === 'PortTaken'
        ? `found another program on its port ${port}`
        : describeEnd(end ?? { kind: 'Unseen' });
    await this.#failed(because);
  }

  #watch(main: MainProcess, signal: AbortSignal): Promise<'Over' | 'PortTaken'> {
    const { id, port, wasReady } = this.#record.current;
    return watchReadiness({
      initial: { kind: wasReady ? 'Ready' : 'Starting', failuresInRow: 0, because: this.#shown.reason },
      readiness: () => this.#record.current.spec.readiness,
      probe: (readiness) => probe({ readiness, port, signal }),
      whoListens: () =>
        whoListens({
          port,
          main: main.identity.pid,
          family: async () =>
            (await findFamily({ id, main: main.identity })).map(({ identity }) => identity.pid),
        }),
      clock: this.#tools.clock,
      signal,
      onProbed: (state) => this.#probed(state),
    });
  }

  async #probed(state: ProbedState): Promise<void> {
    const { id, wasReady, failures, process, spec } = this.#record.current;
    const again =
      state.kind === 'Starting' && this.#lastEnd !== undefined ? `; before, it ${this.#lastEnd}` : '';
    this.#show(state.kind, `${state.because}${again}`);
    this.#settle();
    const isReady = state.kind === 'Ready';
    const upFor = process.kind === 'Running' ? this.#tools.clock.now() - process.startedAt : 0;
    const isStable = isReady && upFor >= spec.restartBackoff.max;
    if (isReady !== wasReady) {
      await this.#record.note({ wasReady: isReady, ...(isReady && { hadWork: true }) });
    }
    if (isStable && failures > 0) await this.#record.note({ failures: 0 });
    await this.#tools.logs.trim(id);
    if (this.#trouble === undefined) return;
    this.#trouble = undefined;
    this.#onChange();
  }

  /** Waits as long as a failing instance has to before its next start, where there is one. */
  async #failed(because: string): Promise<void> {
    const { restarts } = this.#record.current;
    this.#lastEnd = because;
    const record = this.#record;
    const next = await noteFailure({ record, tools: this.#tools, because, logStart: this.#logStart });
    if (next.kind === 'GivenUp') return;
    this.#show('Failed', next.reason);
    await this.#tools.clock.sleep(next.delay, this.#interrupted).catch(() => undefined);
    this.#record.set({ restarts: restarts + 1 });
  }

  /** Stays down until it is stopped. */
  async #rest(because: string): Promise<void> {
    this.#show('Failed', because);
    this.#settle();
    await this.#tools.clock.sleep(Number.MAX_SAFE_INTEGER, this.#interrupted).catch(() => undefined);
  }

  #beginStop(): void {
    this.#stop.abort();
    this.#show('Stopping', firstOfStopping({ record: this.#record, tools: this.#tools }));
  }

  async #end(): Promise<void> {
    for (;;) {
      this.#leave.signal.throwIfAborted();
      try {
        await stopProcesses(this.#stopping(this.#main));
        await this.#record.remove();
        this.#tools.ports.release(this.#record.current.id);
        return;
      } catch (error) {
        this.#leave.signal.throwIfAborted();
        this.#show('Stopping', `cannot be stopped, and is tried again: ${(error as Error).message}`);
        await this.#tools.clock.sleep(RETRY, this.#leave.signal);
      }
    }
  }

  #stopping(main: MainProcess | undefined): Stopping {
    return {
      record: this.#record,
      tools: this.#tools,
      main,
      signal: this.#leave.signal,
      onProgress: (sentence) => {
        if (this.isStopping) this.#show('Stopping', sentence);
      },
    };
  }

  #show(state: InstanceState, reason: string): void {
    if (this.isStopping && state !== 'Stopping') return;
    if (state === this.#shown.state && reason === this.#shown.reason) return;
    const since = state === this.#shown.state ? this.#shown.since : this.#tools.clock.now();
    this.#shown = { state, reason, since };
    this.#onChange();
  }
}
