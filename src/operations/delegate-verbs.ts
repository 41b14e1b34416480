/** The verbs on waves, goal states and boxes: halt, resume, skip, reassert, retry, decommission. */
import { NO_DELEGATES, reassert as reasserted } from '../goalstate/generation.ts';
import { retried } from '../goalstate/retries.ts';
import type { Boxes } from '../goalstate/wave-boxes.ts';
import { haltWaves as halted, resumeWaves as resumed, skipWave as skipped } from '../goalstate/waves.ts';
import type { BoxVersionState } from '../model/goal-state.ts';
import type { Instant } from '../model/instant.ts';
import type { VersionName } from '../model/names.ts';
import { isActive, type ServiceRecord } from '../model/state.ts';
import {
  type DelegatesRecord,
  decommissionedBoxes,
  MAX_DECOMMISSIONS,
  type WavesRecord,
} from '../model/waves.ts';
import { ForbiddenTransitionError } from '../rollout/transition.ts';
import { changeService, type OperationContext } from './context.ts';
import type { DecommissionRequest, RetryOnBoxesRequest } from './delegate-types.ts';
import { type ChangeOutcome, type ChangeRequest, OperationError } from './types.ts';

/** No further box gets the candidate. Throws OperationError. */
export function haltWaves(context: OperationContext, request: ChangeRequest): Promise<ChangeOutcome> {
  const { actor, reason } = request.caller;
  return changeWaves(context, request, {
    action: 'HaltWaves',
    change: (waves, { now }) =>
      waves.halt === undefined ? halted(waves, { by: actor, reason, at: now }) : waves,
    done: 'have halted; resume goes on',
  });
}

/** Goes on after a halt. Throws OperationError. */
export function resumeWaves(context: OperationContext, request: ChangeRequest): Promise<ChangeOutcome> {
  const { actor, reason } = request.caller;
  return changeWaves(context, request, {
    action: 'ResumeWaves',
    change: (waves, { now, boxes }) =>
      waves.halt === undefined ? waves : resumed(waves, { by: actor, reason, at: now }, boxes),
    done: 'go on; what has failed so far is forgiven',
  });
}

/** Does not wait any longer for what the wave waits for. Throws OperationError. */
export function skipWave(context: OperationContext, request: ChangeRequest): Promise<ChangeOutcome> {
  const { actor, reason } = request.caller;
  requireReason(request, 'skip lets boxes have the version that it would still wait for');
  return changeWaves(context, request, {
    action: 'SkipWave',
    change: (waves, { now, boxes }) => skipped(waves, { by: actor, reason, at: now }, boxes),
    done: 'go on to what comes next',
  });
}

interface WavesVerb {
  readonly action: string;
  readonly change: (
    waves: WavesRecord,
    facts: { readonly now: Instant; readonly boxes: Boxes },
  ) => WavesRecord;
  readonly done: string;
}

function changeWaves(
  context: OperationContext,
  request: ChangeRequest,
  { action, change, done }: WavesVerb,
): Promise<ChangeOutcome> {
  const { fleet } = context.controller;
  return changeService(context, request, {
    action,
    reason: action,
    change: (record, { now }) => {
      const delegates = record.delegates ?? NO_DELEGATES;
      const boxes = {
        watchers: fleet.of(record.name),
        decommissioned: decommissionedBoxes(delegates),
      };
      const going = goingWaves(record, delegates);
      const next = change(going, { now, boxes });
      if (next === going) return record;
      const waves = delegates.waves.map((one) => (one === going ? next : one));
      return { ...record, delegates: { ...delegates, waves } };
    },
    describe: (before) =>
      `${before.name}: the waves of ${goingWaves(before, before.delegates ?? NO_DELEGATES).candidate} ${done}`,
  });
}

/** Those of the rollout's candidate, else the newest that are not done. */
function goingWaves({ name, rollout }: ServiceRecord, { waves }: DelegatesRecord): WavesRecord {
  const going = waves.filter(({ phase }) => phase !== 'Done');
  const found = going.find(({ candidate }) => candidate === rollout?.version) ?? going.at(-1);
  if (found !== undefined) return found;
  throw new ForbiddenTransitionError(
    `${name} has no waves that go on; they begin when a rollout with spec.delegates.waves registers its delegates`,
  );
}

/** What is recorded here holds over newer generations that watchers have seen. Throws OperationError. */
export async function reassert(context: OperationContext, request: ChangeRequest): Promise<ChangeOutcome> {
  const { actor, reason } = request.caller;
  requireReason(request, 'reassert overrules what a newer state has told boxes');
  return changeService(context, request, {
    action: 'ReassertGoalStates',
    reason: 'Reasserted',
    change: (record, { now }) => {
      const delegates = record.delegates ?? NO_DELEGATES;
      const next = reasserted({ delegates, by: actor, reason, now });
      if (next !== undefined) return { ...record, delegates: next };
      throw new ForbiddenTransitionError(
        `no watcher of ${record.name} has reported a generation above ${delegates.current.generation}; there is nothing to assert`,
      );
    },
    describe: (_before, { name, delegates }) =>
      `${name}: what is recorded here holds, as generation ${delegates?.current.generation ?? 0}`,
  });
}

/** Boxes that have given a version up try it again; those that are away, when they come back. Throws OperationError. */
export function retryOnBoxes(
  context: OperationContext,
  request: RetryOnBoxesRequest,
): Promise<ChangeOutcome> {
  const { version, caller } = request;
  const { fleet } = context.controller;
  return changeService(context, request, {
    action: 'RetryOnBoxes',
    reason: 'RetriedOnBoxes',
    change: (record, { now }) => {
      const delegates = record.delegates ?? NO_DELEGATES;
      requireOnBoxes(record, version);
      const order = { version, by: caller.actor, reason: caller.reason, at: now };
      return { ...record, delegates: retried(delegates, order, record) };
    },
    describe: ({ name }) => {
      const boxes = fleet.of(name);
      const given = boxes.filter(({ report }) =>
        report.versions.some((one) => one.version === version && GIVEN_UP.includes(one.state)),
      );
      return `${name}: boxes try ${version} again; ${given.length} of ${boxes.length} say that they gave it up`;
    },
  });
}

const GIVEN_UP: readonly BoxVersionState[] = ['CrashLooping', 'ArtifactFailed'];

function requireOnBoxes({ name, versions, artifacts = [] }: ServiceRecord, version: VersionName): void {
  const found = versions.find((one) => one.name === version);
  if (found === undefined || !isActive(found.state) || found.retirement !== undefined) {
    const live = versions.filter(({ state }) => isActive(state)).map((one) => one.name);
    throw new ForbiddenTransitionError(
      `${version} of ${name} is not wanted on any box; those that are: ${live.join(', ') || 'none'}`,
    );
  }
  if (!artifacts.some((artifact) => artifact.version === version)) {
    throw new ForbiddenTransitionError(
      `no artifact was published for ${version} of ${name}, so no box can run it; publish one first`,
    );
  }
}

/** Tells a box to run nothing any more, or takes that back. Throws OperationError. */
export async function decommission(
  context: OperationContext,
  request: DecommissionRequest,
): Promise<ChangeOutcome> {
  const { box, undo, caller } = request;
  requireReason(request, 'a box that is decommissioned runs nothing any more');
  return changeService(context, request, {
    action: undo ? 'RecommissionBox' : 'DecommissionBox',
    reason: 'Decommissioned',
    change: (record, { now }) => {
      const delegates = record.delegates ?? NO_DELEGATES;
      const others = delegates.decommissions.filter(({ delegate }) => delegate !== box);
      const isOut = others.length < delegates.decommissions.length;
      if (isOut !== undo) return record;
      if (!undo) requireRoom(context, record, request, others.length);
      const order = { delegate: box, by: caller.actor, reason: caller.reason, since: now };
      return { ...record, delegates: { ...delegates, decommissions: undo ? others : [...others, order] } };
    },
    describe: ({ name }) =>
      undo
        ? `${name}: ${box} is told again what to run`
        : `${name}: ${box} is told to run nothing any more, where its customer's policy allows it`,
  });
}

function requireRoom(
  { controller }: OperationContext,
  { name }: ServiceRecord,
  { box }: DecommissionRequest,
  others: number,
): void {
  if (controller.fleet.find(name, box) === undefined) {
    throw new OperationError(
      'NotFound',
      `${name} knows no watcher of a box ${box}; get delegates lists those that it knows`,
    );
  }
  if (others < MAX_DECOMMISSIONS) return;
  throw new OperationError(
    'FailedPrecondition',
    `${name} has ${others} decommissioned boxes, the most there can be; take back those that are gone with --undo`,
  );
}

function requireReason({ caller }: ChangeRequest, why: string): void {
  if (caller.reason.trim() !== '') return;
  throw new OperationError('InvalidArgument', `reason: ${why}, and needs a --reason`);
}
