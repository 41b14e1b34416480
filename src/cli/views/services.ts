/** Services, versions and holds as tables. */

import { timestampMs } from '@bufbuild/protobuf/wkt';
import { RETIREMENT_STEP, VERSION_MARK, VERSION_STATE, wordOf } from '../../admin/enums.ts';
import {
  type Hold,
  RetirementStep,
  type Service,
  type Version,
} from '../../gen/switchyard/admin/v1/resources_pb.js';
import { formatDuration } from '../duration.ts';
import type { ListView } from '../output.ts';
import type { Paint } from '../shell.ts';
import { age } from '../time.ts';

/** The parts of a service's traffic by role; empty text: nobody has the role. */
export function rolesOf({ traffic }: Service): {
  primary: string;
  candidate: string;
  weight: number;
  previous: string;
} {
  const kind = traffic?.kind;
  if (kind?.case === 'steady') return { candidate: '', weight: 0, ...kind.value };
  if (kind?.case === 'shifting') return kind.value;
  return { primary: '', candidate: '', weight: 0, previous: '' };
}

export function servicesView(paint: Paint): ListView<Service> {
  return {
    columns: [
      { heading: 'NAME', text: ({ name }) => name },
      { heading: 'WANTED', text: ({ wantedVersion }) => wantedVersion },
      { heading: 'PRIMARY', text: (service) => rolesOf(service).primary },
      { heading: 'CANDIDATE', text: candidateText },
      { heading: 'PREVIOUS', text: (service) => rolesOf(service).previous },
      {
        heading: 'READY',
        text: ({ versions }) => String(versions.reduce((sum, each) => sum + each.readyEndpoints, 0)),
      },
      { heading: 'GENERATION', text: ({ generation }) => String(generation), wide: true },
      {
        heading: 'LISTENERS',
        text: ({ listeners }) => listeners.map(({ name, port }) => `${name}:${port}`).join(','),
        wide: true,
      },
      {
        heading: 'ALERTS',
        text: ({ alerts }) => (alerts.length === 0 ? 'none' : alerts.join('; ')),
        paint: (text, { alerts }) => (alerts.length === 0 ? text : paint.bad(text)),
      },
    ],
    name: ({ name }) => `service/${name}`,
    empty: 'no services; apply one with `switchyard apply -f FILE`',
  };
}

function candidateText(service: Service): string {
  const { candidate, weight } = rolesOf(service);
  return candidate === '' ? '' : `${candidate} (${weight}%)`;
}

export function versionsView(paint: Paint, now: number): ListView<Version> {
  return {
    columns: [
      { heading: 'SERVICE', text: ({ service }) => service },
      { heading: 'VERSION', text: ({ name }) => name },
      {
        heading: 'STATE',
        text: stateWords,
        paint: (words, version) => paintState(paint, words, version),
      },
      { heading: 'WEIGHT', text: ({ weight }) => `${weight}%` },
      { heading: 'READY', text: readyText },
      { heading: 'ROLE', text: ({ isPrevious }) => (isPrevious ? 'previous' : ''), wide: true },
      { heading: 'FENCED', text: ({ fenced }) => (fenced ? 'yes' : 'no'), wide: true },
      { heading: 'AGE', text: ({ since }) => age(since, now) },
      { heading: 'REASON', text: reasonText },
    ],
    name: ({ service, name }) => `version/${service}/${name}`,
    empty: 'no versions',
  };
}

/** Ready endpoints of all that are known. */
export function readyText({ readyEndpoints, instances }: Version): string {
  return `${readyEndpoints}/${instances.length}`;
}

const STEADY_STATES = new Set(['Primary', 'Standby']);

export function stateText(paint: Paint, version: Version): string {
  return paintState(paint, stateWords(version), version);
}

function stateWords({ state, mark }: Version): string {
  const word = wordOf(VERSION_STATE, state);
  return mark === undefined ? word : `${word},${wordOf(VERSION_MARK, mark.kind)}`;
}

function paintState(paint: Paint, text: string, { state, mark, readyEndpoints }: Version): string {
  const word = wordOf(VERSION_STATE, state);
  if (mark !== undefined || (word === 'Primary' && readyEndpoints === 0)) return paint.bad(text);
  return STEADY_STATES.has(word) ? paint.good(text) : paint.busy(text);
}

function reasonText({ reason, mark, retirement }: Version): string {
  if (retirement !== RetirementStep.UNSPECIFIED)
    return `${reason}, retiring: ${wordOf(RETIREMENT_STEP, retirement)}`;
  return mark === undefined ? reason : `${reason}: ${mark.reason}`;
}

export function holdsView(now: number): ListView<Hold> {
  return {
    columns: [
      { heading: 'SERVICE', text: ({ service }) => service },
      { heading: 'TENANT', text: ({ tenant }) => tenant },
      { heading: 'VERSION', text: ({ version }) => version },
      { heading: 'EXPIRES IN', text: ({ expires }) => (expires === undefined ? '' : until(expires, now)) },
      { heading: 'BY', text: ({ by, heldBackBy }) => (heldBackBy === '' ? by : heldBackBy) },
      { heading: 'AGE', text: ({ since }) => age(since, now), wide: true },
      { heading: 'REASON', text: ({ reason }) => reason },
    ],
    name: ({ service, tenant }) => `hold/${service}/${tenant}`,
    empty: 'no holds',
  };
}

function until(expires: NonNullable<Hold['expires']>, now: number): string {
  const rest = timestampMs(expires) - now;
  return rest <= 0 ? 'expired' : formatDuration(rest);
}
