/** The versions of a rollout with their weight, instances and open work, as branches of its tree. Pure. */

import { timestampMs } from '@bufbuild/protobuf/wkt';
import { INSTANCE_STATE, VERSION_STATE } from '../../admin/enums.ts';
import type { Instance, Version } from '../../gen/switchyard/admin/v1/resources_pb.js';
import type { OpenWorkView, RolloutView } from '../../gen/switchyard/admin/v1/rollouts_pb.js';
import { formatDuration } from '../duration.ts';
import type { Paint } from '../shell.ts';
import { aligned } from '../table.ts';
import { age } from '../time.ts';
import type { Branch } from '../tree.ts';
import { instanceText } from './instances.ts';
import { countText } from './numbers.ts';
import { readyText, stateText } from './services.ts';
import { certificateText, splitText } from './work.ts';

/** Which instances are shown: all, those that are not ready, or none. */
export type InstanceChoice = 'all' | 'troubled' | 'none';

export interface VersionFrame {
  readonly paint: Paint;
  readonly now: number;
  readonly instances: InstanceChoice;
  readonly wide: boolean;
}

/** The candidate first, then what it is compared with, then the others. */
export function versionBranches(view: RolloutView, frame: VersionFrame): Branch[] {
  const { rollout, versions, openWork } = view;
  const rank = ({ name }: Version) => (name === rollout?.version ? 0 : name === rollout?.baseline ? 1 : 2);
  const ranked = versions
    .filter(({ state }) => state !== VERSION_STATE.Retired)
    .toSorted((a, b) => rank(a) - rank(b));
  const lines = aligned(ranked.map((version) => versionCells(version, view, frame)));
  return ranked.map((version, index) => ({
    text: (lines[index] ?? '').trimEnd(),
    below: [
      ...instanceBranches(version, frame),
      ...openWork.filter(({ version: name }) => name === version.name).map((work) => workBranch(work, frame)),
      ...(version.teardown === undefined
        ? []
        : [{ text: `teardown: ${version.teardown.because}`, wraps: true }]),
      ...(version.mark === undefined
        ? []
        : [{ text: `marked by ${version.mark.by}: ${version.mark.reason}`, wraps: true }]),
    ],
  }));
}

function versionCells(version: Version, { rollout }: RolloutView, { paint, now }: VersionFrame): string[] {
  const role =
    version.name === rollout?.version
      ? 'candidate'
      : version.isPrevious
        ? 'previous'
        : version.name === rollout?.baseline
          ? 'baseline'
          : '';
  return [
    version.name,
    stateText(paint, version),
    `${version.weight}%`,
    `${readyText(version)} ready`,
    age(version.since, now),
    role,
  ];
}

function instanceBranches(
  { instances }: Version,
  { paint, instances: choice, wide }: VersionFrame,
): Branch[] {
  const shown = (instance: Instance) =>
    choice === 'all' || (choice === 'troubled' && instance.state !== INSTANCE_STATE.Ready);
  return instances.filter(shown).map((instance) => ({ text: instanceText(paint, instance), wraps: wide }));
}

function workBranch(work: OpenWorkView, { paint, now }: VersionFrame): Branch {
  const { open, problem, expectedDrained } = work;
  if (open === undefined) return { text: `${paint.busy('?')} open work unknown: ${problem}`, wraps: true };
  const end =
    expectedDrained === undefined
      ? open === 0n
        ? beside(certificateText(work.certificate))
        : ', no end in sight'
      : `, drained in about ${formatDuration(Math.max(0, timestampMs(expectedDrained) - now))}`;
  const parts = splitText(work.split);
  return { text: `${countText(open)} open${parts === '' ? '' : `: ${parts}`}${end}`, wraps: true };
}

function beside(text: string): string {
  return text === '' ? '' : `, ${text}`;
}
