/** The pipelines in the manager's own folder, which customers begin by name. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DocumentProblem } from '../../../src/model/problem.ts';
import type { SourceFile } from '../../../src/spec/source.ts';
import type { Pipeline } from '../../../src/workflow/pipeline/definition.ts';
import type { PipelineLibrary } from '../../../src/workflow/pipeline/expand.ts';
import { parsePipelines } from '../../../src/workflow/pipeline/yaml/parse.ts';

/** Reads every `.yaml` file of a folder. Rejects with all faults, each with its place, where one has any. */
export async function readPipelines(folder: string): Promise<PipelineLibrary> {
  const names = (await readdir(folder)).filter((name) => /\.ya?ml$/.test(name)).toSorted();
  const files = await Promise.all(
    names.map(async (name) => ({
      file: join(folder, name),
      text: await readFile(join(folder, name), 'utf8'),
    })),
  );
  const { library, problems } = parseAll(files);
  if (problems.length > 0) {
    const faults = problems.map(
      ({ file, line, column, message }) => `\n  ${file}:${line}:${column} ${message}`,
    );
    throw new RangeError(`pipelines have faults:${faults.join('')}`);
  }
  return library;
}

/** A file may call pipelines of others: it is read again once more of those are known, as long as that helps. */
function parseAll(files: readonly SourceFile[]): {
  readonly library: PipelineLibrary;
  readonly problems: readonly DocumentProblem[];
} {
  const library = new Map<string, Pipeline>();
  let left = files;
  for (;;) {
    const read = left.map((file) => ({ file, ...parsePipelines(file, library) }));
    for (const { pipelines } of read) for (const pipeline of pipelines) library.set(pipeline.name, pipeline);
    const broken = read.filter(({ problems }) => problems.length > 0);
    if (broken.length === 0 || broken.length === left.length) {
      return { library, problems: broken.flatMap(({ problems }) => problems) };
    }
    left = broken.map(({ file }) => file);
  }
}
