// Who may import whom in src/: the table of docs and design as data, held by test/unit/imports.test.ts. A row is a
// folder, or a file where one file differs from its folder; the most exact row counts. Every folder has a row, and
// each may import itself.

export interface Row {
  /** No clock, no chance, no environment, no I/O: the same input always gives the same output. */
  readonly pure: boolean;
  /** The folders and files of src/ that it may import. */
  readonly ours: readonly string[];
  /** The npm packages that it may import; `any`: all that package.json names under dependencies. */
  readonly packages: readonly string[] | 'any';
  /** The modules of Node that a pure row may import all the same. A row that is not pure may import all. */
  readonly node?: readonly string[];
}

const protobuf = '@bufbuild/protobuf';
const decisions = ['rollout', 'verification', 'routing', 'goalstate'];

const pure = (ours: readonly string[], packages: readonly string[] = []): Row => ({
  pure: true,
  ours,
  packages,
});
const shell = (...ours: readonly string[]): Row => ({ pure: false, ours, packages: 'any' });

/** The xDS server's parts that talk to the network or to the ports. What else is in xds/ is pure. */
const xdsShell = shell('model', 'ports', 'gen', 'telemetry', 'xds', 'grpc-server');

const importTable: Readonly<Record<string, Row>> = {
  model: pure([]),
  ports: pure(['model']),

  rollout: pure(['model']),
  // The grammar of PromQL, kept by the Prometheus project: which selectors a query reads.
  verification: pure(['model'], ['@prometheus-io/lezer-promql']),
  routing: pure(['model']),
  goalstate: pure(['model']),
  report: pure(['model', 'verification']),
  workflow: pure(['model']),
  // What is not pure of the library: the loops over a store, and the answers about it.
  'workflow/runner': shell('model', 'ports', 'workflow'),
  'workflow/grpc': shell('model', 'ports', 'gen'),
  // Reads YAML as specs are read: documents with places, durations, words that were meant.
  'workflow/pipeline/yaml': pure(
    ['model', 'workflow', 'spec/duration.ts', 'spec/findings.ts', 'spec/source.ts', 'spec/suggest.ts'],
    ['yaml'],
  ),
  spec: pure(['model', 'gen'], ['yaml', protobuf]),
  // Lint reads queries as they will be sent.
  'spec/promql.ts': pure(
    ['model', 'spec', 'verification/selectors.ts', 'verification/templates.ts'],
    ['@prometheus-io/lezer-promql'],
  ),
  'spec/promql-types.ts': pure([], ['@prometheus-io/lezer-promql']),

  // Puts manifests together as kustomize does.
  install: pure([], ['yaml']),

  xds: pure(['model', 'gen'], [protobuf]),
  'xds/translate': pure(['model', 'gen', 'xds/resource.ts'], [protobuf]),
  // A hash is a function of its input, and Node has it built in.
  'xds/digest.ts': { ...pure(['xds']), node: ['node:crypto'] },
  // A timer.
  'xds/notice.ts': shell(),
  'xds/progress.ts': xdsShell,
  'xds/proxy.ts': xdsShell,
  'xds/publisher.ts': xdsShell,
  'xds/push.ts': xdsShell,
  'xds/server.ts': xdsShell,
  'xds/services.ts': xdsShell,
  'xds/stream.ts': xdsShell,

  adapters: shell('model', 'ports'),
  // Its query is a template, and how old the samples are that it reads is asked of each selector.
  'adapters/promql-work-source': shell(
    'model',
    'ports',
    'adapters',
    'verification/selectors.ts',
    'verification/templates.ts',
  ),
  'adapters/access-log': shell(
    'model',
    'ports',
    'gen',
    'grpc-server/raw.ts',
    'xds/translate/logged-request.ts',
  ),
  // Its query is a template, as that of work is.
  'adapters/delegate-sources': shell(
    'model',
    'ports',
    'gen',
    'adapters',
    'verification/selectors.ts',
    'verification/templates.ts',
  ),
  'adapters/workflow-work-source': shell('model', 'ports', 'gen', 'adapters'),
  'adapters/grpc-work-source': shell('model', 'ports', 'gen', 'adapters'),
  // The workflow store's engine for many machines shares nothing with other adapters.
  'adapters/workflow-postgres': shell('model', 'ports'),
  // The embedded engine of the workflow store: its thread, files and errors are those of the controller's store.
  'adapters/workflow-sqlite': shell('model', 'ports', 'adapters/sqlite', 'adapters/store-thread.ts'),
  // A restore says which generations it may have lost.
  'adapters/sqlite/restored-mark.ts': shell('model', 'ports', 'adapters', 'goalstate/generation.ts'),
  'adapters/kubernetes/store/restored.ts': shell('model', 'goalstate/generation.ts'),
  telemetry: shell('model', 'ports'),
  controller: shell('model', 'ports', 'telemetry', ...decisions, 'operations/types.ts'),
  operations: shell('model', 'ports', 'telemetry', ...decisions, 'report', 'spec', 'controller'),

  admin: shell('model', 'ports', 'gen', 'telemetry', 'operations'),
  // Keys are made by chance.
  artifact: shell('model'),
  watcher: shell(
    'model',
    'ports',
    'gen',
    'telemetry',
    'goalstate/accept.ts',
    'artifact',
    'adapters/durable-file.ts',
    'adapters/http-request.ts',
  ),
  // The listening socket of servers that thousands connect to.
  'grpc-server': shell(),
  // The backend of gateways that cannot answer by themselves.
  'refusal-server': shell('model', 'grpc-server'),
  'refusal-server/answer.ts': pure(['model']),
  'watcher-server': shell('model', 'ports', 'gen', 'telemetry', 'grpc-server'),
  // The face of custom resources: objects in, verbs called, status out.
  'custom-resources': shell(
    'model',
    'ports',
    'operations',
    'adapters/kubernetes/client',
    'adapters/kubernetes/custom-resources.ts',
    'adapters/kubernetes/events',
    'adapters/kubernetes/names.ts',
    'adapters/rounds.ts',
    'routing/table.ts',
  ),
  // How Switchyard comes to what runs on Kubernetes, and goes again: verbs of a person's own command, at the API server; before
  // them what both stand on.
  'namespace-work': shell('model', 'ports', 'adapters/kubernetes'),
  adoption: shell('model', 'ports', 'adapters/kubernetes', 'custom-resources', 'namespace-work'),
  uninstall: shell('model', 'ports', 'adapters/kubernetes', 'custom-resources', 'namespace-work'),
  // What replicas of one controller say to each other.
  replicas: shell('model', 'ports', 'gen', 'grpc-server', 'adapters/access-log/service.ts'),
  'replicas/scale.ts': pure([]),
  cli: shell(
    'model',
    'gen',
    'spec',
    'artifact',
    'install',
    'admin/client.ts',
    'admin/enums.ts',
    'admin/errors.ts',
    'xds/bootstrap.ts',
    'xds/node-id.ts',
  ),
};

/** The row that counts for a file, named from src/; the files directly in src/ wire all together and have none. */
export function rowFor(file: string): { readonly name: string; readonly row: Row } | 'wiring' | 'unknown' {
  if (!file.includes('/')) return 'wiring';
  const name = Object.keys(importTable)
    .filter((candidate) => within(file, candidate))
    .toSorted((a, b) => b.length - a.length)[0];
  const row = name === undefined ? undefined : importTable[name];
  return name === undefined || row === undefined ? 'unknown' : { name, row };
}

/** True when a path is this file, or lies in this folder. */
export function within(path: string, folderOrFile: string): boolean {
  return path === folderOrFile || path.startsWith(`${folderOrFile}/`);
}
