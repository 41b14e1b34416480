/** How one box of the roll stands: ready, missing and why, or not waited for. */
import type { BoxVersion, WatcherRecord } from '../model/goal-state.ts';
import { after, type Instant, isoTime } from '../model/instant.ts';
import type { VersionName } from '../model/names.ts';
import type { MissingBox, MissingReason } from '../model/parity.ts';
import { visible } from '../model/text.ts';
import type { WavesRecord } from '../model/waves.ts';
import type { DelegateId } from '../model/workflow.ts';
import { isAdmitted } from './admission.ts';

const DAY = 86_400_000;
/** Characters of a watcher's words that a line shows. */
const MAX_WORDS = 200;

export type BoxStanding =
  | { readonly kind: 'Ready' }
  | { readonly kind: 'Switching' }
  | { readonly kind: 'Offline' }
  | ({ readonly kind: 'Missing' } & MissingBox);

export interface BoxFacts {
  readonly delegate: DelegateId;
  readonly watcher: WatcherRecord | undefined;
  /** It has a stream to a manager of the candidate, or of any version. */
  readonly isRegistered: boolean;
  readonly isHeardOf: boolean;
}

export interface GateFacts {
  readonly candidate: VersionName;
  readonly waves: WavesRecord | undefined;
  /** Why no watcher can be told to run the candidate; empty: they can. */
  readonly leftOut: string;
  readonly now: Instant;
}

export function standingOf(box: BoxFacts, gate: GateFacts): BoxStanding {
  const { delegate, watcher } = box;
  if (box.isRegistered) return { kind: 'Ready' };
  if (!box.isHeardOf && watcher?.isConnected !== true) return { kind: 'Offline' };
  if (watcher !== undefined && watcher.identity.maxVersions <= 1) return { kind: 'Switching' };
  return { kind: 'Missing', delegate, ...whyMissing(watcher, gate) };
}

function whyMissing(
  watcher: WatcherRecord | undefined,
  { candidate, waves, leftOut, now }: GateFacts,
): { readonly reason: MissingReason; readonly detail: string } {
  if (leftOut !== '') return { reason: 'NoArtifact', detail: `cannot be told to run it: ${leftOut}` };
  if (watcher === undefined) return { reason: 'Unknown', detail: 'has no watcher that reports' };
  if (!watcher.isConnected) {
    const detail = `works, and its watcher was last seen ${isoTime(watcher.lastSeen)}`;
    return { reason: 'Unknown', detail };
  }
  if (waves !== undefined && !isAdmitted(waves, watcher.identity)) {
    return { reason: 'WaitingForWave', detail: 'waits for its wave' };
  }
  const { report } = watcher;
  if (report.refusal !== '') {
    return { reason: 'RefusedByPolicy', detail: `refuses what it was told: ${words(report.refusal)}` };
  }
  const stands = report.versions.find(({ version }) => version === candidate);
  if (stands === undefined) return { reason: 'Unknown', detail: `has not reported on ${candidate} yet` };
  return { reason: REASONS[stands.state], detail: detailOf(stands, watcher, now) };
}

const REASONS: Readonly<Record<BoxVersion['state'], MissingReason>> = {
  WaitingForWindow: 'WaitingForWindow',
  Refused: 'RefusedByPolicy',
  Fetching: 'Fetching',
  ArtifactFailed: 'Failed',
  Starting: 'Starting',
  Ready: 'NotRegistered',
  Unready: 'Starting',
  CrashLooping: 'Failed',
  // The watcher of a box that can run several versions does not say so, unless its customer's limit is one.
  Switching: 'RefusedByPolicy',
  Draining: 'Unknown',
};

function detailOf({ state, reason }: BoxVersion, { report }: WatcherRecord, now: Instant): string {
  const because = reason === '' ? '' : `: ${words(reason)}`;
  switch (state) {
    case 'WaitingForWindow': {
      const { windowOpens } = report;
      return `waits for its window${windowOpens === undefined ? '' : ` (opens ${clock(windowOpens, now)})`}`;
    }
    case 'Refused':
      return `refuses it${because}`;
    case 'Fetching':
      return `fetches it${because}`;
    case 'ArtifactFailed':
      return `could not get its artifact${because}`;
    case 'Starting':
      return `starts it${because}`;
    case 'Ready':
      return 'is up, but no manager knows it';
    case 'Unready':
      return `is not ready${because}`;
    case 'CrashLooping':
      return `crash-looping${because}`;
    case 'Switching':
      return `can run one version only${because}`;
    case 'Draining':
      return `drains it${because}`;
  }
}

/** The time of day where that is clear, in UTC. */
function clock(at: Instant, now: Instant): string {
  const text = isoTime(at);
  return at >= now && at < after(now, DAY) ? text.slice(11, 16) : text;
}

function words(text: string): string {
  return visible(text, MAX_WORDS);
}
