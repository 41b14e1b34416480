/** Documents to specs, with everything that is wrong with them gathered into one refusal. */
import type { ControllerOptions } from '../controller/options.ts';
import type { DocumentProblem, ServiceProblem } from '../model/problem.ts';
import type { VersionedService } from '../model/spec.ts';
import { lintService } from '../spec/lint.ts';
import { type ParsedService, parseServices } from '../spec/parse.ts';
import { checkTogether } from '../spec/together.ts';
import type { OperationContext } from './context.ts';
import { type ApplyRequest, OperationError } from './types.ts';

export interface ParsedDocuments {
  readonly services: readonly { readonly spec: VersionedService; readonly document: string }[];
  readonly warnings: readonly DocumentProblem[];
  /**
   * Gives the warnings about these documents beside the services that stay. Throws OperationError where they do not go
   * together.
   */
  readonly checkTogether: (others: readonly VersionedService[]) => readonly DocumentProblem[];
}

/** Parses all documents. Throws OperationError InvalidArgument with every problem found. */
export function parseDocuments(
  { controller }: OperationContext,
  documents: ApplyRequest['documents'],
): ParsedDocuments {
  const parsed = documents.map((document) => parseServices(document));
  const found = parsed.flatMap(({ problems }) => problems);
  const services = parsed.flatMap((file) => file.services);
  const linted = services.flatMap((service) => lintService(service.spec).map(service.place));
  const problems = [
    ...[...found, ...linted].filter(isError),
    ...duplicates(services),
    ...services.flatMap((service) => unsupported(controller.options, service)),
  ];
  if (services.length === 0 && problems.length === 0) {
    problems.push(
      withoutPlace(documents[0]?.file ?? '', '', 'there is no VersionedService in the documents'),
    );
  }
  refuseProblems(problems);
  // A finding about a service that is not in these documents (it stays as it is) has no place in them.
  const place = (problem: ServiceProblem): DocumentProblem =>
    services.find(({ spec }) => spec.name === problem.service)?.place(problem) ??
    withoutPlace('', problem.field, `${problem.service}: ${problem.message}`);
  return {
    services,
    warnings: [...found, ...linted].filter((problem) => !isError(problem)),
    checkTogether: (others) => {
      const together = checkTogether([...others, ...services.map(({ spec }) => spec)]);
      refuseProblems(together.filter(isError).map(place));
      return together.map(place);
    },
  };
}

function isError({ severity }: Pick<ServiceProblem, 'severity'>): boolean {
  return severity === 'error';
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

/** The same service in two files; within one file the parser finds it. */
function duplicates(services: readonly ParsedService[]): DocumentProblem[] {
  return services
    .filter(({ spec }, index) => services.findIndex((other) => other.spec.name === spec.name) !== index)
    .map(({ spec, place }) =>
      place({
        severity: 'error',
        service: spec.name,
        field: 'metadata.name',
        message: `"${spec.name}" is given twice: each service has one document`,
      }),
    );
}

function unsupported(options: ControllerOptions, { spec, place }: ParsedService): DocumentProblem[] {
  const { kind } = spec.runtime;
  const problem = { severity: 'error', service: spec.name } as const;
  if (options.allowCommands !== true) {
    const message = 'this controller runs no commands; start it with --allow-commands';
    const commands = commandFields(spec).map((field) => place({ ...problem, field, message }));
    if (commands.length > 0) return commands;
  }
  if (options.runtimes[kind] === undefined) {
    const has = `this controller has no ${kind} runtime; it has: ${Object.keys(options.runtimes).join(', ')}`;
    const message = kind === 'kubernetes' ? `${has}; one that is started with --kubernetes has it` : has;
    return [place({ ...problem, field: `spec.runtime.${kind}`, message })];
  }
  return [];
}

/** The fields of a spec that hold commands. */
function commandFields({ runtime, verification }: VersionedService): readonly string[] {
  return [
    ...(runtime.kind === 'processes' ? ['spec.runtime.processes.command'] : []),
    ...(verification?.checks ?? []).flatMap(({ metric }, index) =>
      metric.kind === 'command' ? [`spec.verification.checks[${index}].command.command`] : [],
    ),
  ];
}

function withoutPlace(file: string, field: string, message: string): DocumentProblem {
  return { severity: 'error', file, line: 0, column: 0, field, message };
}
