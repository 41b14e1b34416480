/** Runs the watcher's agent: opens its adapters, takes up what runs, follows the controller until it is told to stop. */

import { type KeyObject, randomInt } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { systemClock } from './adapters/clock.ts';
import { writeDurably } from './adapters/durable-file.ts';
import { ProcessesRuntime } from './adapters/processes/runtime.ts';
import { makeFolder } from './data-folder.ts';
import type { WatcherPolicy, WatcherSettings, WatcherStatus } from './model/watcher.ts';
import { Agent } from './watcher/agent.ts';
import { ArtifactStore } from './watcher/artifacts/store.ts';
import { startControl } from './watcher/control.ts';
import { DRAIN_PATH, HEALTH_PATH } from './watcher/launch.ts';
import { Channel } from './watcher/link/channel.ts';
import { Link } from './watcher/link/link.ts';
import { StateFile } from './watcher/state.ts';
import { acceptUpgrade } from './watcher/upgrade/accept.ts';
import { Slots } from './watcher/upgrade/slots.ts';

/** What a watcher is told. */
export interface WatcherService {
  readonly settings: WatcherSettings;
  readonly policy: WatcherPolicy;
  readonly publicKeys: readonly KeyObject[];
  readonly log: Logger;
  /** Of Switchyard. */
  readonly release: string;
  /** The slot that it runs from; `installed` where it is none. */
  readonly slot: string;
  /** Aborted: it stops, and delegates go on. */
  readonly signal: AbortSignal;
  /**
   * Called once everything that ran was taken up, and it has reached its controller; a release on trial where the one
   * before did not either, and one that is no trial, once it knows what it should run.
   */
  readonly onProven: () => void;
}

/** So often may a delegate end before its version is given up. */
const BUDGET = { ends: 3, within: 10 * 60_000 };

const chance = (): number => randomInt(2 ** 32) / 2 ** 32;

/** `Upgrade`: a new release is here to be tried. */
export type WatcherEnd = 'Stopped' | 'Upgrade';

/** Resolves when it was stopped. Rejects where it cannot begin: another watcher has the folder, a state that it cannot read. */
export async function serveWatcher(service: WatcherService): Promise<WatcherEnd> {
  const { settings, policy, publicKeys, log, release, slot } = service;
  const upgrade = new AbortController();
  const signal = AbortSignal.any([service.signal, upgrade.signal]);
  const folder = settings.dataFolder;
  makeFolder(folder);
  await using closing = new AsyncDisposableStack();
  const state = await StateFile.open(join(folder, 'watcher.json'), settings.identity.service);
  const { drainTimeout } = policy;
  const runtime = await ProcessesRuntime.open({
    clock: systemClock,
    stateFolder: join(folder, 'processes'),
    drain: {
      path: DRAIN_PATH,
      statusPath: HEALTH_PATH,
      ...(drainTimeout !== undefined && { limit: drainTimeout }),
    },
    budget: BUDGET,
    launchesDiffer: true,
  });
  closing.defer(() => runtime.close());
  const artifacts = await ArtifactStore.open({
    folder,
    publicKeys,
    policy,
    clock: systemClock,
    random: chance,
    onChange: () => agent.wake(),
  });
  closing.defer(() => artifacts.close());
  const identity = {
    ...settings.identity,
    maxVersions: Math.min(settings.identity.maxVersions, policy.maxVersions),
    release,
  };
  const channel = new Channel(settings.controller, identity);
  closing.defer(() => channel.close());
  const slots = await Slots.open(folder);
  let held = await slots.held();
  let badReleases = await slots.bad();
  let answer = '';
  const statusFile = join(folder, 'status.json');
  const agent: Agent = new Agent({
    settings,
    policy,
    runtime,
    artifacts,
    state,
    clock: systemClock,
    log,
    keep: () => held,
    onReport: () => {
      link.changed();
      void saved();
    },
  });
  const link: Link = new Link({
    channel,
    clock: systemClock,
    random: chance,
    report: () => agent.report,
    onAnswer: ({ goal, reason }) => {
      answer = reason;
      if (goal !== undefined) agent.offer(goal);
    },
    onState: (now) => {
      log.info({ link: now }, now.kind === 'Connected' ? 'reached the controller' : 'the controller is away');
      prove();
    },
  });
  const status = (): WatcherStatus => ({
    identity,
    report: agent.report,
    link: link.state,
    answer,
    slot,
    badReleases: badReleases.map(({ version, reason }) => `${version}: ${reason}`),
    at: systemClock.now(),
  });
  // Writes follow each other, and the last one says what is so then.
  let writing: Promise<void> = Promise.resolve();
  const saved = (): Promise<void> => {
    writing = writing
      .then(() => writeDurably(statusFile, `${JSON.stringify(status(), undefined, 2)}\n`))
      .catch((error: unknown) => log.warn({ err: error }, 'the status cannot be written'));
    return writing;
  };
  const trial = await slots.trial();
  const mustReach = trial?.slot.name === slot && trial.mustReachController;
  let isTakenUp = false;
  const prove = (): void => {
    const knowsGoal = !mustReach && state.current.goal !== undefined;
    if (isTakenUp && (knowsGoal || link.state.kind === 'Connected')) service.onProven();
  };
  const control = await startControl(join(folder, 'watcher.sock'), {
    status,
    retry: (version) => agent.retry(version),
    async upgrade(manifest, { again }) {
      badReleases = await slots.bad();
      const { version } = await acceptUpgrade({
        manifest,
        again,
        isConnected: () => link.state.kind === 'Connected',
        artifacts,
        slots,
        policy,
        clock: systemClock,
        signal,
      });
      held = await slots.held();
      // After the answer is on its way.
      setImmediate(() => upgrade.abort());
      return `release ${version} is here and is tried now; status says which one runs`;
    },
  });
  closing.defer(() => control.close());
  await runtime.settled(settings.identity.service);
  isTakenUp = true;
  prove();
  log.info({ box: identity.id, service: identity.service, release, folder }, 'watching');
  await Promise.all([agent.run(signal), link.run(signal)]);
  await saved();
  return upgrade.signal.aborted ? 'Upgrade' : 'Stopped';
}
