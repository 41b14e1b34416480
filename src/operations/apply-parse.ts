/** Documents to specs, with everything that is wrong with them gathered into one refusal. */
import type { DocumentProblem, ServiceProblem } from '../model/problem.ts';
import type { VersionedService } from '../model/spec.ts';
import { lintService } from '../spec/lint.ts';
import { parseServices } from '../spec/parse.ts';
import { checkTogether } from '../spec/together.ts';
import type { OperationContext } from './context.ts';
import { type ApplyRequest, OperationError } from './types.ts';

export interface ParsedDocuments {
  readonly services: readonly { readonly spec: VersionedService; readonly document: string }[];
  readonly warnings: readonly DocumentProblem[];
  /** Throws OperationError where the documents do not go together with each other or with the services that stay. */
  readonly checkTogether: (others: readonly VersionedService[]) => void;
}

/** Parses all documents. Throws OperationError InvalidArgument with every problem found. */
export function parseDocuments(
  { controller }: OperationContext,
  documents: ApplyRequest['documents'],
): ParsedDocuments {
  const parsed = documents.map((document) => ({ file: document.file, ...parseServices(document) }));
  const found = parsed.flatMap(({ problems }) => problems);
  const services = parsed.flatMap(({ file, services: inFile }) =>
    inFile.map((service) => ({ file, ...service })),
  );
  const problems = [
    ...found.filter(({ severity }) => severity === 'error'),
    ...duplicates(services),
    ...services.flatMap(({ file, spec }) => unsupported(controller.options, file, spec)),
  ];
  if (services.length === 0 && problems.length === 0) {
    problems.push(problemAt(documents[0]?.file ?? '', '', 'there is no VersionedService in the documents'));
  }
  refuseProblems(problems);
  const fileOf = (problem: ServiceProblem): string =>
    services.find(({ spec }) => spec.name === problem.service)?.file ?? documents[0]?.file ?? '';
  const place = (problem: ServiceProblem): DocumentProblem => ({
    ...problem,
    file: fileOf(problem),
    line: 0,
    column: 0,
  });
  return {
    services,
    warnings: [
      ...found.filter(({ severity }) => severity === 'warning'),
      ...services.flatMap(({ spec }) => lintService(spec).map(place)),
    ],
    checkTogether: (others) => {
      const together = checkTogether([...services.map(({ spec }) => spec), ...others]);
      refuseProblems(together.filter(({ severity }) => severity === 'error').map(place));
    },
  };
}

function refuseProblems(problems: readonly DocumentProblem[]): void {
  if (problems.length === 0) return;
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  throw new OperationError(
    'InvalidArgument',
    `nothing was applied: ${first === undefined ? '' : describe(first)}${more}`,
    { problems },
  );
}

function describe({ file, line, field, message }: DocumentProblem): string {
  return `${file}${line > 0 ? `:${line}` : ''}: ${field === '' ? '' : `${field}: `}${message}`;
}

function duplicates(
  services: readonly { readonly file: string; readonly spec: VersionedService }[],
): DocumentProblem[] {
  return services
    .filter(({ spec }, index) => services.findIndex((other) => other.spec.name === spec.name) !== index)
    .map(({ file, spec }) =>
      problemAt(file, 'metadata.name', `${spec.name} is given twice; one document for each service`),
    );
}

function unsupported(
  options: OperationContext['controller']['options'],
  file: string,
  spec: VersionedService,
): DocumentProblem[] {
  const { kind } = spec.runtime;
  if (kind === 'processes' && options.allowCommands !== true) {
    return [
      problemAt(
        file,
        'spec.runtime.processes.command',
        'this controller runs no commands; start it with --allow-commands',
      ),
    ];
  }
  if (options.runtimes[kind] === undefined) {
    return [
      problemAt(
        file,
        `spec.runtime.${kind}`,
        `this controller has no ${kind} runtime; it has: ${Object.keys(options.runtimes).join(', ')}`,
      ),
    ];
  }
  return [];
}

function problemAt(file: string, field: string, message: string): DocumentProblem {
  return { severity: 'error', file, line: 0, column: 0, field, message };
}
