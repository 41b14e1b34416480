/** Pipelines as YAML: what a file means, or every fault with its place. UPDATE_GOLDEN=1 writes the outputs anew. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startPipeline } from '../../src/workflow/pipeline/start.ts';
import { parsePipelines } from '../../src/workflow/pipeline/yaml/parse.ts';
import { goldenCases } from '../support/golden-yaml.ts';

goldenCases({
  folder: 'test/golden/pipeline',
  stage: (source) => {
    const { pipelines, problems } = parsePipelines(source);
    const lines = problems.map(
      ({ line, column, field, message }) => `${line}:${column} ${field || '(document)'}: ${message}`,
    );
    return { problems: lines, pipelines };
  },
});

const EXAMPLES = 'examples/pipelines';

test.each(readdirSync(EXAMPLES))('the example %s is valid, and begins with an input', (name) => {
  const file = `${EXAMPLES}/${name}`;
  const { pipelines, problems } = parsePipelines({ file, text: readFileSync(file, 'utf8') });
  expect(problems).toEqual([]);
  for (const pipeline of pipelines) {
    const input = Object.fromEntries(pipeline.inputs.map(({ name: own }) => [own, 'given']));
    expect(startPipeline({ pipeline, input })).toMatchObject({ kind: 'Ready' });
  }
});
