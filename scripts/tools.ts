// Where the other programs that we run are: the one that a variable names, else the one on PATH, else the one that
// setup installed into .tools/. The same order as in scripts/setup.sh.
import { execFileSync } from 'node:child_process';
import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';

export type ToolName =
  | 'envoy'
  | 'go'
  | 'prometheus'
  | 'promtool'
  | 'postgres'
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kubectl'
  | 'kustomize'
  | 'helm'
  | 'kubeconform'
  | 'kubectl-validate';

export type Tool =
  | { readonly kind: 'found'; readonly path: string }
  /** `why` says what is missing and the exact command that brings it. */
  | { readonly kind: 'missing'; readonly why: string };

interface Search {
  /** The variable that names the program; nothing else is looked at when it is set. */
  readonly variable: string;
  /** The variable names the folder that the program is in. */
  readonly inFolder?: true;
  /** Folders to look into beside those of PATH. */
  readonly folders?: () => readonly string[];
  readonly command: string;
  readonly usable: (path: string) => boolean;
}

const root = resolve(import.meta.dirname, '..');

const searches: Record<ToolName, Search> = {
  envoy: { variable: 'ENVOY_BIN', command: 'bash scripts/setup.sh', usable: executable },
  go: {
    variable: 'GO_BIN',
    command: 'bash scripts/setup.sh --with go',
    usable: (path) => executable(path) && isGo124(path),
  },
  prometheus: {
    variable: 'PROMETHEUS_BIN',
    command: 'bash scripts/setup.sh --with prometheus',
    usable: executable,
  },
  promtool: {
    variable: 'PROMTOOL_BIN',
    command: 'bash scripts/setup.sh --with prometheus',
    usable: executable,
  },
  postgres: {
    variable: 'POSTGRES_BIN',
    inFolder: true,
    folders: postgresFolders,
    command: 'bash scripts/setup.sh --with postgres',
    usable: (path) => executable(path) && executable(join(dirname(path), 'initdb')),
  },
  etcd: kubernetes('ETCD_BIN'),
  'kube-apiserver': kubernetes('KUBE_APISERVER_BIN'),
  'kube-controller-manager': kubernetes('KUBE_CONTROLLER_MANAGER_BIN'),
  kubectl: kubernetes('KUBECTL_BIN'),
  kustomize: kubernetes('KUSTOMIZE_BIN', 'kubernetes-tools'),
  helm: kubernetes('HELM_BIN', 'kubernetes-tools'),
  kubeconform: kubernetes('KUBECONFORM_BIN', 'kubernetes-tools'),
  'kubectl-validate': kubernetes('KUBECTL_VALIDATE_BIN', 'kubernetes-tools'),
};

function kubernetes(variable: string, part: 'kubernetes' | 'kubernetes-tools' = 'kubernetes'): Search {
  return { variable, command: `bash scripts/setup.sh --with ${part}`, usable: executable };
}

/** Looks for a program, without installing anything. */
export function findTool(name: ToolName): Tool {
  const { variable, inFolder, folders: others = () => [], command, usable } = searches[name];
  const given = process.env[variable];
  if (given !== undefined && given !== '') {
    const program = inFolder ? join(given, name) : given;
    if (usable(program)) return { kind: 'found', path: resolve(program) };
    return {
      kind: 'missing',
      why: `${variable}=${given} is no usable ${name}; correct it, or run: unset ${variable}`,
    };
  }
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean),
    ...others(),
    join(root, '.tools/bin'),
  ];
  const path = folders.map((folder) => join(folder, name)).find(usable);
  if (path !== undefined) return { kind: 'found', path };
  return { kind: 'missing', why: `no ${name} in ${variable}, on PATH or in .tools/bin; run: ${command}` };
}

/** Debian keeps the programs of a server apart from PATH, in a folder for each major version; the newest first. */
function postgresFolders(): readonly string[] {
  const installed = '/usr/lib/postgresql';
  const majors = readableFolder(installed).toSorted((left, right) => Number(right) - Number(left));
  return [
    ...majors.map((major) => join(installed, major, 'bin')),
    join(root, '.tools/postgresql-15/usr/lib/postgresql/15/bin'),
  ];
}

function readableFolder(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isGo124(path: string): boolean {
  try {
    const [, minor] = /go1\.(\d+)/.exec(execFileSync(path, ['version'], { encoding: 'utf8' })) ?? [];
    return Number(minor) >= 24;
  } catch {
    return false;
  }
}
