/** Delegates as tables: by box, by tenant; waves, and the history of goal states. Pure. */
import { WAVE_PROGRESS, wordOf } from '../../admin/enums.ts';
import type {
  Box,
  BoxVersion,
  DelegatesView,
  GoalGeneration,
  Waves,
  WaveView,
} from '../../gen/switchyard/admin/v1/delegates_pb.js';
import type { ListView } from '../output.ts';
import type { Paint } from '../shell.ts';
import { age, clockTime } from '../time.ts';

/** A box in the list of one service, or of several. */
export interface BoxRow {
  readonly service: string;
  readonly box: Box;
}

/** The boxes of services. */
export function boxRows(views: readonly DelegatesView[]): readonly BoxRow[] {
  return views.flatMap(({ service, boxes }) => boxes.map((box) => ({ service, box })));
}

export function boxesView(paint: Paint, now: number): ListView<BoxRow> {
  return {
    columns: [
      { heading: 'SERVICE', text: ({ service }) => service, wide: true },
      { heading: 'BOX', text: ({ box }) => box.id },
      { heading: 'TENANT', text: ({ box }) => box.tenant },
      { heading: 'GROUP', text: ({ box }) => box.group },
      {
        heading: 'WATCHER',
        text: ({ box }) => watcherWord(box),
        paint: (word) => (word === 'Connected' ? paint.good(word) : paint.busy(word)),
      },
      { heading: 'VERSIONS', text: ({ box }) => box.versions.map(versionText).join(' ') },
      { heading: 'GOAL', text: ({ box }) => (box.watcher ? String(box.watcher.applied) : '') },
      { heading: 'SEEN', text: ({ box }) => (box.watcher ? age(box.watcher.lastSeen, now) : '') },
      {
        heading: 'TASKS',
        text: ({ box }) => box.versions.flatMap(tasksText).join(' '),
        wide: true,
      },
      { heading: 'DISK', text: ({ box }) => diskText(box), wide: true },
      { heading: 'RELEASE', text: ({ box }) => box.watcher?.release ?? '', wide: true },
      { heading: 'TAGS', text: ({ box }) => box.watcher?.tags.join(',') ?? '', wide: true },
      { heading: 'REASON', text: ({ box }) => reasonText(box, now) },
    ],
    name: ({ service, box }) => `delegate/${service}/${box.id}`,
    empty: 'no delegates; their watchers connect where the controller has --watcher-address',
  };
}

function watcherWord({ watcher, decommissioned }: Box): string {
  if (decommissioned) return 'Decommissioned';
  if (watcher === undefined) return 'None';
  return watcher.connected ? 'Connected' : 'Away';
}

/** `v2=Ready`, with `*` where its delegate has a stream to a manager. */
function versionText({ version, state, registered }: BoxVersion): string {
  const stands = state === '' ? (registered ? 'Registered' : 'Unknown') : state;
  return `${version}=${stands}${registered ? '*' : ''}`;
}

function tasksText({ version, openTasks }: BoxVersion): string[] {
  return openTasks === undefined ? [] : [`${version}=${openTasks}`];
}

function diskText({ watcher }: Box): string {
  return watcher === undefined ? '' : `${(Number(watcher.diskFree) / 1e9).toFixed(1)} GB`;
}

/** What keeps the box from what it should run: its refusal, else the first version that stands badly. */
function reasonText({ watcher, versions }: Box, now: number): string {
  if (watcher?.refusal) return watcher.refusal;
  if (watcher?.windowOpens) return `its window opens ${clockTime(watcher.windowOpens)}`;
  const troubled = versions.find(({ state, reason }) => reason !== '' && state !== 'Ready');
  return troubled === undefined
    ? ''
    : `${troubled.version}: ${troubled.reason} (since ${age(troubled.since, now)})`;
}

/** The boxes of one tenant, counted. */
export interface TenantRow {
  readonly service: string;
  readonly tenant: string;
  readonly boxes: readonly Box[];
}

export function tenantRows(views: readonly DelegatesView[]): readonly TenantRow[] {
  return views.flatMap(({ service, boxes }) =>
    [...Map.groupBy(boxes, ({ tenant }) => tenant)].map(([tenant, own]) => ({ service, tenant, boxes: own })),
  );
}

export function tenantsView(): ListView<TenantRow> {
  return {
    columns: [
      { heading: 'SERVICE', text: ({ service }) => service, wide: true },
      { heading: 'TENANT', text: ({ tenant }) => tenant },
      { heading: 'BOXES', text: ({ boxes }) => String(boxes.length) },
      {
        heading: 'CONNECTED',
        text: ({ boxes }) => String(boxes.filter(({ watcher }) => watcher?.connected === true).length),
      },
      { heading: 'READY', text: ({ boxes }) => countsText(boxes, ({ state }) => state === 'Ready') },
      { heading: 'REGISTERED', text: ({ boxes }) => countsText(boxes, ({ registered }) => registered) },
      { heading: 'NOT READY', text: ({ boxes }) => notReadyText(boxes) },
    ],
    name: ({ service, tenant }) => `tenant/${service}/${tenant}`,
    empty: 'no delegates; their watchers connect where the controller has --watcher-address',
  };
}

/** `v1=3 v2=2`. */
function countsText(boxes: readonly Box[], counts: (version: BoxVersion) => boolean): string {
  const all = boxes.flatMap(({ versions }) => versions.filter(counts));
  return [...Map.groupBy(all, ({ version }) => version)]
    .map(([version, own]) => `${version}=${own.length}`)
    .join(' ');
}

function notReadyText(boxes: readonly Box[]): string {
  const troubled = boxes.flatMap(({ id, versions }) =>
    versions
      .filter(({ state }) => state !== 'Ready' && state !== '' && state !== 'Draining')
      .map(({ version, state }) => `${id} ${version}=${state}`),
  );
  const more = troubled.length - 5;
  return `${troubled.slice(0, 5).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** A wave with the candidate that it is for. */
export interface WaveRow {
  readonly waves: Waves;
  readonly wave: WaveView;
}

export function wavesView(paint: Paint): ListView<WaveRow> {
  return {
    columns: [
      { heading: 'CANDIDATE', text: ({ waves }) => waves.candidate },
      { heading: 'WAVE', text: ({ wave }) => wave.name },
      {
        heading: 'STATE',
        text: ({ waves, wave }) => stateOf(waves, wave),
        paint: (word) => (word === 'Halted' ? paint.bad(word) : word === 'Done' ? paint.good(word) : word),
      },
      { heading: 'GROUPS', text: ({ wave }) => wave.groups.join(',') || '(the others)' },
      { heading: 'BOXES', text: ({ wave }) => String(wave.boxes) },
      { heading: 'ADMITTED', text: ({ wave }) => String(wave.admitted) },
      { heading: 'READY', text: ({ wave }) => String(wave.ready) },
      { heading: 'ON THEIR WAY', text: ({ wave }) => String(wave.onTheirWay) },
      { heading: 'FAILED', text: ({ wave }) => String(wave.failed) },
      { heading: 'OFFLINE', text: ({ wave }) => String(wave.offline) },
    ],
    name: ({ waves, wave }) => `wave/${waves.candidate}/${wave.name}`,
    empty: 'no waves go on; they begin when a rollout with spec.delegates.waves registers its delegates',
  };
}

function stateOf({ halt }: Waves, { progress }: WaveView): string {
  const isIts = progress !== WAVE_PROGRESS.Done && progress !== WAVE_PROGRESS.Ahead;
  return halt !== undefined && isIts ? 'Halted' : wordOf(WAVE_PROGRESS, progress);
}

export function generationsView(): ListView<GoalGeneration> {
  return {
    columns: [
      { heading: 'GENERATION', text: ({ generation }) => String(generation) },
      { heading: 'TIME', text: ({ at }) => clockTime(at) },
      { heading: 'VERSIONS', text: ({ versions }) => versions.join(',') },
      { heading: 'BECAUSE', text: ({ because }) => because },
    ],
    name: ({ generation }) => `generation/${generation}`,
    empty: 'no goal state was made; `artifact publish` says what boxes fetch for a version',
  };
}
