/** What a watcher does about its box. Everything is written down before it is done, so that no crash does it twice. */
import { mkdir } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { Artifact } from '../model/goal-state.ts';
import type { VersionName } from '../model/names.ts';
import type { ProcessesRuntimeSpec } from '../model/spec.ts';
import type { WatcherPolicy, WatcherSettings } from '../model/watcher.ts';
import type { Clock } from '../ports/clock.ts';
import type { Runtime } from '../ports/runtime.ts';
import type { ArtifactStore } from './artifacts/store.ts';
import type { BoxAction, Setback } from './box.ts';
import { pruneData } from './data-folders.ts';
import { dataFolderOf, specOf, supervisionOf } from './launch.ts';
import type { StateFile } from './state.ts';

export interface DeedsOptions {
  readonly settings: WatcherSettings;
  readonly policy: WatcherPolicy;
  readonly runtime: Runtime;
  readonly artifacts: ArtifactStore;
  readonly state: StateFile;
  readonly clock: Clock;
  readonly log: Logger;
  /** sha256 of artifacts that others need. */
  readonly keep: () => readonly string[];
}

export class Deeds {
  readonly #options: DeedsOptions;
  #kept = '';

  constructor(options: DeedsOptions) {
    this.#options = options;
  }

  async act(action: BoxAction): Promise<void> {
    const { artifacts, log } = this.#options;
    const { because } = action;
    switch (action.kind) {
      case 'Fetch':
        log.info(
          { version: action.artifact.version, url: action.artifact.url, because },
          'fetches an artifact',
        );
        return artifacts.fetch(action.artifact);
      case 'Start':
        log.info({ version: action.artifact.version, because }, 'starts a version');
        return this.#start(action.artifact);
      case 'Drain':
        log.info({ version: action.version, because }, 'drains a version');
        return this.#stop(action.version);
      case 'GiveUp':
        log.error({ version: action.setback.version, because }, 'gives a version up');
        return this.#giveUp(action.setback);
    }
  }

  /** Removes what nothing needs any more. */
  async prune(): Promise<void> {
    const { settings, artifacts, state, clock, keep } = this.#options;
    const { goal, lastGood, started } = state.current;
    const running = this.#running();
    const kept = [
      ...(goal?.versions ?? []).map(({ artifact }) => artifact),
      ...started.filter(({ version }) => running.includes(version)).map(({ artifact }) => artifact),
      ...(lastGood === undefined ? [] : [lastGood]),
    ];
    const hashes = [...kept.map(({ sha256 }) => sha256), ...keep()];
    if (hashes.join() === this.#kept) return;
    await artifacts.prune(new Set(hashes));
    const versions = [...running, ...kept.map(({ version }) => version)];
    await pruneData({ folder: settings.dataFolder, versions, now: clock.now() });
    this.#kept = hashes.join();
  }

  async #start(artifact: Artifact): Promise<void> {
    const { settings, policy, artifacts, state } = this.#options;
    const { version } = artifact;
    // Asked once more of the very artifact whose command is run: nothing unsigned is started, whatever was decided.
    if (artifacts.standing(artifact)?.kind !== 'Here') {
      throw new Error(`${version} is not started: its artifact is not one that was checked`);
    }
    const data = dataFolderOf(settings.dataFolder, artifact);
    await mkdir(data, { recursive: true, mode: 0o700 });
    const running = this.#running();
    await state.change(({ started }) => {
      const others = started.filter((one) => one.version !== version && running.includes(one.version));
      return { started: [...others, { version, artifact }] };
    });
    const path = artifacts.pathOf(artifact);
    const spec = specOf({ artifact, path, data, settings, limits: policy.limits });
    await this.#want(spec, [...this.#wished(), version]);
  }

  /** The processes runtime drains it first. */
  async #stop(version: VersionName): Promise<void> {
    const staying = this.#wished().filter((one) => one !== version);
    await this.#want(supervisionOf(this.#options.settings), staying);
  }

  async #giveUp(setback: Setback): Promise<void> {
    const { state } = this.#options;
    await state.change(({ setbacks }) => ({
      setbacks: [...setbacks.filter(({ version }) => version !== setback.version), setback],
    }));
    await this.#stop(setback.version);
  }

  /** Each version keeps the launch that it began with. */
  async #want(spec: ProcessesRuntimeSpec, versions: readonly VersionName[]): Promise<void> {
    const { runtime, settings } = this.#options;
    await runtime.want({ service: settings.identity.service, spec, versions });
  }

  /** Versions that have a process, those that drain included. */
  #running(): readonly VersionName[] {
    const { runtime, settings } = this.#options;
    return [...new Set(runtime.instances(settings.identity.service).map(({ version }) => version))];
  }

  /** Versions that the runtime is asked to keep running now. */
  #wished(): readonly VersionName[] {
    const { runtime, settings } = this.#options;
    const staying = runtime.instances(settings.identity.service).filter(({ state }) => state !== 'Stopping');
    return [...new Set(staying.map(({ version }) => version))];
  }
}
