/** What watchers send, checked and turned into the words of the model. A watcher is in somebody else's network: all is bounded. */
import { timestampMs } from '@bufbuild/protobuf/wkt';
import {
  type BoxVersion as BoxVersionMessage,
  type Identity,
  type Report,
  BoxVersionState as StateNumber,
} from '../gen/switchyard/watcher/v1/watcher_pb.js';
import {
  BOX_VERSION_STATES,
  type BoxVersion,
  type BoxVersionState,
  MAX_GOAL_VERSIONS,
  type WatcherIdentity,
  type WatcherReport,
} from '../model/goal-state.ts';
import { type Instant, instant } from '../model/instant.ts';
import {
  isName,
  isTenant,
  NAME_RULE,
  serviceName,
  TENANT_RULE,
  tenantName,
  versionName,
} from '../model/names.ts';
import { excerpt, visible } from '../model/text.ts';
import { DELEGATE_ID_RULE, delegateId, isDelegateId } from '../model/workflow.ts';

/** A message that breaks a rule; the text names the field, the value and what would be right. */
export class InvalidMessageError extends Error {
  override readonly name = 'InvalidMessageError';
}

const MOST_TAGS = 32;
const LONGEST_TAG = 128;
const LONGEST_TEXT = 512;
const DEFAULT_VERSIONS = 3;
/** Those that are wanted, and as many that are on their way out. */
const MOST_REPORTED = 2 * MAX_GOAL_VERSIONS;

/** Who a watcher says that it is. Throws InvalidMessageError. */
export function parseIdentity(identity: Identity | undefined): WatcherIdentity {
  if (identity === undefined)
    throw new InvalidMessageError('identity: the first message must say who the watcher is');
  return {
    id: checked('identity.id', identity.id, {
      accepts: isDelegateId,
      rule: DELEGATE_ID_RULE,
      parse: delegateId,
    }),
    service: checked('identity.service', identity.service, {
      accepts: isName,
      rule: NAME_RULE,
      parse: serviceName,
    }),
    tenant: checked('identity.tenant', identity.tenant, {
      accepts: isTenant,
      rule: TENANT_RULE,
      parse: tenantName,
    }),
    group: parseGroup(identity.group),
    tags: parseTags(identity.tags),
    maxVersions: parseMaxVersions(identity.maxVersions),
    release: visible(identity.release, 64),
  };
}

function parseGroup(group: string): string {
  if (group === '') return 'default';
  return checked('identity.group', group, { accepts: isName, rule: NAME_RULE, parse: (text) => text });
}

function parseTags(tags: readonly string[]): readonly string[] {
  if (tags.length > MOST_TAGS) {
    throw new InvalidMessageError(`identity.tags has ${tags.length} tags; at most ${MOST_TAGS} are allowed`);
  }
  return tags.map((tag, index) =>
    checked(`identity.tags[${index}]`, tag, {
      accepts: (text) => text.length <= LONGEST_TAG && isTenant(text),
      rule: `1 to ${LONGEST_TAG} visible ASCII characters`,
      parse: (text) => text,
    }),
  );
}

function parseMaxVersions(maxVersions: number): number {
  if (maxVersions > MAX_GOAL_VERSIONS) {
    throw new InvalidMessageError(
      `identity.max_versions is ${maxVersions}; a box runs at most ${MAX_GOAL_VERSIONS} versions`,
    );
  }
  return maxVersions === 0 ? DEFAULT_VERSIONS : maxVersions;
}

/** How a watcher says that its box stands. Throws InvalidMessageError. */
export function parseReport(report: Report, now: Instant): WatcherReport {
  if (report.versions.length > MOST_REPORTED) {
    throw new InvalidMessageError(
      `report.versions has ${report.versions.length} versions; at most ${MOST_REPORTED} are allowed`,
    );
  }
  const { windowOpens } = report;
  return {
    seen: parseWhole('report.seen', report.seen),
    applied: parseWhole('report.applied', report.applied),
    refusal: visible(report.refusal, LONGEST_TEXT),
    versions: report.versions.map((version, index) =>
      parseBoxVersion(version, `report.versions[${index}]`, now),
    ),
    diskFree: parseWhole('report.disk_free', report.diskFree),
    ...(windowOpens === undefined
      ? {}
      : { windowOpens: parseInstant('report.window_opens', timestampMs(windowOpens)) }),
  };
}

function parseBoxVersion(message: BoxVersionMessage, field: string, now: Instant): BoxVersion {
  const { version, since, openTasks, restarts } = message;
  return {
    version: checked(`${field}.version`, version, { accepts: isName, rule: NAME_RULE, parse: versionName }),
    ...parseState(message, `${field}.state`),
    since: since === undefined ? now : parseInstant(`${field}.since`, timestampMs(since)),
    ...(openTasks === undefined ? {} : { openTasks }),
    restarts,
  };
}

const STATES: Readonly<Record<StateNumber, BoxVersionState | undefined>> = {
  [StateNumber.UNSPECIFIED]: undefined,
  [StateNumber.WAITING_FOR_WINDOW]: 'WaitingForWindow',
  [StateNumber.REFUSED]: 'Refused',
  [StateNumber.FETCHING]: 'Fetching',
  [StateNumber.ARTIFACT_FAILED]: 'ArtifactFailed',
  [StateNumber.STARTING]: 'Starting',
  [StateNumber.READY]: 'Ready',
  [StateNumber.UNREADY]: 'Unready',
  [StateNumber.CRASH_LOOPING]: 'CrashLooping',
  [StateNumber.SWITCHING]: 'Switching',
  [StateNumber.DRAINING]: 'Draining',
};

/** A state that only a newer watcher knows is one in which nobody counts on the version. */
function parseState(
  { state, reason }: BoxVersionMessage,
  field: string,
): Pick<BoxVersion, 'state' | 'reason'> {
  const parsed = STATES[state];
  if (parsed !== undefined) return { state: parsed, reason: visible(reason, LONGEST_TEXT) };
  if (state > StateNumber.UNSPECIFIED) {
    const newer = `its watcher is of a newer release, whose state ${state} is not known here`;
    return { state: 'Unready', reason: visible(reason === '' ? newer : `${newer}: ${reason}`, LONGEST_TEXT) };
  }
  throw new InvalidMessageError(`${field} is ${state}; it must be one of ${BOX_VERSION_STATES.join(', ')}`);
}

function parseWhole(field: string, value: bigint): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw new InvalidMessageError(`${field} is ${value}; it must be at most ${Number.MAX_SAFE_INTEGER}`);
}

/** The latest time that a date can hold. */
const LATEST = 8_640_000_000_000_000;

function parseInstant(field: string, milliseconds: number): Instant {
  if (milliseconds >= 0 && milliseconds <= LATEST) return instant(milliseconds);
  throw new InvalidMessageError(`${field} must be a time since 1970, not ${milliseconds} ms`);
}

function checked<T>(
  field: string,
  text: string,
  { accepts, rule, parse }: { accepts: (text: string) => boolean; rule: string; parse: (text: string) => T },
): T {
  if (accepts(text)) return parse(text);
  throw new InvalidMessageError(`${field} is ${text === '' ? 'empty' : excerpt(text)}; it must be ${rule}`);
}
