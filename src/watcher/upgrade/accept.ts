/** A signed release of the watcher, from its manifest to a slot in which it is tried. Nothing unsigned gets there. */
import { parseManifest } from '../../artifact/manifest.ts';
import type { Artifact } from '../../model/goal-state.ts';
import type { WatcherPolicy } from '../../model/watcher.ts';
import type { Clock } from '../../ports/clock.ts';
import { hostOf, isHostAllowed } from '../allowed.ts';
import type { ArtifactStore } from '../artifacts/store.ts';
import type { Slots } from './slots.ts';

/** The service name that releases of the watcher are signed for; no delegate can have it. */
const WATCHER_SERVICE = 'switchyard-watcher';

export interface UpgradeParts {
  readonly manifest: string;
  /** It may have been tried before, and not have proved itself. */
  readonly again: boolean;
  /** Whether this release reaches the controller now. */
  readonly isConnected: () => boolean;
  readonly artifacts: ArtifactStore;
  readonly slots: Slots;
  readonly policy: WatcherPolicy;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Resolves with the release once it is in its slot. Throws Error with the reason where it is refused or cannot be had. */
export async function acceptUpgrade(parts: UpgradeParts): Promise<Artifact> {
  const { slots, artifacts, policy, clock, signal } = parts;
  const artifact = parseManifest(parts.manifest);
  const { version, sha256, service, url } = artifact;
  if (service !== WATCHER_SERVICE) {
    throw new Error(
      `the manifest is of ${service}; a release of the watcher is signed for ${WATCHER_SERVICE}`,
    );
  }
  const host = hostOf(url);
  if (host === undefined || !isHostAllowed(host, policy)) {
    throw new Error(`the customer's policy allows no artifact from ${url}`);
  }
  if ((await slots.trial()) !== undefined)
    throw new Error('another release is being tried: look at status, and try again then');
  const known = (await slots.bad()).find((one) => one.sha256 === sha256);
  if (known !== undefined && !parts.again) {
    throw new Error(
      `release ${version} was tried before and is not tried again without --again: ${known.reason}`,
    );
  }
  if ((await slots.current())?.artifact.sha256 === sha256) throw new Error(`release ${version} runs already`);
  artifacts.retry((key) => key.startsWith(sha256));
  artifacts.fetch(artifact);
  for (;;) {
    const standing = artifacts.standing(artifact);
    if (standing?.kind === 'Here') break;
    if (standing?.kind === 'Failed') throw new Error(`release ${version} cannot be had: ${standing.reason}`);
    await clock.sleep(100, signal);
  }
  const path = artifacts.pathOf(artifact);
  if (known !== undefined) await slots.forgive(sha256);
  await slots.propose({
    mustReachController: parts.isConnected(),
    artifact,
    command: artifact.command.map((part) =>
      part.replaceAll('${artifact}', path).replaceAll('${version}', version),
    ),
  });
  return artifact;
}
