/**
 * `lint`: checks documents as `apply` would, says what a careful operator would ask, and how long a rollout takes at
 * least and a rollback at most; no controller is needed.
 */
import type { DocumentProblem, ServiceProblem } from '../../model/problem.ts';
import { describeEstimate, estimateRollout } from '../../spec/estimates.ts';
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
  const estimates = flags.endpoints ? [] : estimatesOf(documents);
  if (isForMachines(context)) await printData(context, { problems, estimates });
  else {
    for (const problem of problems) print(context, paintedLine(context, problem));
    for (const { service, shortestSuccess, longestRollback } of estimates) {
      print(context, `${service}: ${shortestSuccess}`);
      print(context, `${service}: ${longestRollback}`);
    }
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

interface Estimate {
  readonly service: string;
  readonly shortestSuccess: string;
  readonly longestRollback: string;
}

/** What each spec that can be read promises of its rollouts. */
function estimatesOf(documents: readonly SourceDocument[]): readonly Estimate[] {
  return documents
    .flatMap((document) => parseServices(document).services)
    .map(({ spec }) => {
      const [shortestSuccess, longestRollback] = describeEstimate(estimateRollout(spec));
      return { service: spec.name, shortestSuccess, longestRollback };
    });
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
