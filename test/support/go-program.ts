/** Programs in Go for tests: built, or the test ends as not run. */
import { buildGoProgram, type GoProgram } from '../../scripts/go-programs.ts';
import { notRun } from './not-run.ts';

/** The path of a built program. `what` is what cannot be tested without it. */
export async function goProgram(what: string, program: GoProgram): Promise<string> {
  const built = await buildGoProgram(program);
  return built.kind === 'built' ? built.path : notRun(what, built.why);
}
