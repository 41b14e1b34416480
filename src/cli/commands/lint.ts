/** `lint`: checks documents as `apply` would, and says what a careful operator would ask; no controller is needed. */
import type { DocumentProblem, ServiceProblem } from '../../model/problem.ts';
import { lintService } from '../../spec/lint.ts';
import { parseEndpointsFile, parseServices } from '../../spec/parse.ts';
import { checkTogether } from '../../spec/together.ts';
import { readDocuments, type SourceDocument } from '../documents.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { isForMachines, printData } from '../output.ts';
import { problemLine } from '../problems.ts';
import { type Context, print } from '../shell.ts';

export interface LintFlags {
  readonly files: readonly string[];
  /** The files list endpoints; otherwise they hold services. */
  readonly endpoints: boolean;
}

export async function lint(context: Context, flags: LintFlags): Promise<ExitCode> {
  const documents = await readDocuments(flags.files, context.shell.stdin);
  const problems = flags.endpoints
    ? documents.flatMap((document) => [...parseEndpointsFile(document).problems])
    : lintServices(documents);
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  if (isForMachines(context)) await printData(context, { problems });
  else {
    for (const problem of problems) print(context, paintedLine(context, problem));
    print(context, summary(documents.length, errors, problems.length - errors));
  }
  return errors > 0 ? EXIT.usage : EXIT.ok;
}

function lintServices(documents: readonly SourceDocument[]): DocumentProblem[] {
  const parsed = documents.map(parseServices);
  const services = parsed.flatMap((file) => file.services);
  const place = (problem: ServiceProblem): DocumentProblem[] => {
    const owner = services.find(({ spec }) => spec.name === problem.service);
    return owner === undefined ? [] : [owner.place(problem)];
  };
  return [
    ...parsed.flatMap(({ problems }) => problems),
    ...checkTogether(services.map(({ spec }) => spec)).flatMap(place),
    ...services.flatMap((service) => lintService(service.spec).map(service.place)),
  ];
}

function paintedLine({ paint }: Context, problem: DocumentProblem): string {
  const line = problemLine(problem);
  return problem.severity === 'error' ? paint.bad(line) : paint.busy(line);
}

function summary(files: number, errors: number, warnings: number): string {
  return `${plural(files, 'file')}: ${plural(errors, 'error')}, ${plural(warnings, 'warning')}`;
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
