/** How the delegate of a version is started: artifact and box enter, a spec for the processes runtime leaves. Pure. */
import { join } from 'node:path';
import type { Artifact } from '../model/goal-state.ts';
import type { ProcessesRuntimeSpec } from '../model/spec.ts';
import type { WatcherLimits, WatcherSettings } from '../model/watcher.ts';

export const HEALTH_PATH = '/healthz';
export const DRAIN_PATH = '/drain';

export interface Launch {
  readonly artifact: Artifact;
  /** What `${artifact}` stands for. */
  readonly path: string;
  /** What `${data}` stands for; the process starts there. */
  readonly data: string;
  readonly settings: WatcherSettings;
  readonly limits: WatcherLimits;
}

/** Why a command cannot be filled in on this box; undefined where it can. */
export function launchProblem({ command }: Artifact, { environment }: WatcherSettings): string | undefined {
  const missing = command
    .flatMap((part) => [...part.matchAll(/\$\{env\.([^}]*)\}/g)].map(([, name = '']) => name))
    .find((name) => !Object.hasOwn(environment, name));
  return missing === undefined
    ? undefined
    : `its command needs \${env.${missing}}, and environment in the watcher's file has no ${missing}`;
}

export function specOf(launch: Launch): ProcessesRuntimeSpec {
  const { settings, data } = launch;
  return {
    ...supervisionOf(settings),
    command: [...limited(launch.limits), ...filled(launch)],
    workingDirectory: data,
    environment: { ...settings.environment, ...told(launch) },
  };
}

/** How delegates are looked after: what a wish says that starts none. */
export function supervisionOf({ ports }: WatcherSettings): ProcessesRuntimeSpec {
  return {
    kind: 'processes',
    command: [],
    environment: {},
    instances: 1,
    ports,
    readiness: { kind: 'http', path: HEALTH_PATH, interval: 1_000, timeout: 2_000, failureThreshold: 3 },
    stopGrace: 30_000,
    restartBackoff: { initial: 1_000, max: 5 * 60_000 },
  };
}

/** Where a version keeps its data. */
export function dataFolderOf(folder: string, { version }: Pick<Artifact, 'version'>): string {
  return join(folder, 'data', version);
}

/** `${version}`, `${port}` and `${instance}` are replaced when it starts. */
function filled({ artifact, path, data, settings }: Launch): string[] {
  const { id, tenant } = settings.identity;
  const byName: Readonly<Record<string, string>> = { artifact: path, data, box: id, tenant };
  return artifact.command.map((part) =>
    part.replace(
      /\$\{(?:(artifact|data|box|tenant)|env\.([^}]*))\}/g,
      (whole, name?: string, variable?: string) =>
        name === undefined ? (settings.environment[variable ?? ''] ?? whole) : (byName[name] ?? whole),
    ),
  );
}

/** What Linux offers without root. */
function limited({ memory, niceness, disk }: WatcherLimits): string[] {
  const limits = [
    ...(memory === undefined ? [] : [`--data=${memory}`]),
    ...(disk === undefined ? [] : [`--fsize=${disk}`]),
  ];
  return [
    ...(niceness === 0 ? [] : ['nice', '-n', String(niceness)]),
    ...(limits.length === 0 ? [] : ['prlimit', ...limits, '--']),
  ];
}

function told({ artifact, settings, data }: Launch): Record<string, string> {
  const { id, service, tenant, tags } = settings.identity;
  return {
    SWITCHYARD_BOX: id,
    SWITCHYARD_SERVICE: service,
    SWITCHYARD_TENANT: tenant,
    SWITCHYARD_TAGS: tags.join(','),
    SWITCHYARD_VERSION: artifact.version,
    SWITCHYARD_DATA: data,
  };
}
