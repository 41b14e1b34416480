/** Pipelines as YAML: what a file means, or every fault with its place. UPDATE_GOLDEN=1 writes the outputs anew. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
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

describe('the example pipelines', () => {
  test.each(['release.yaml', 'quick.yaml'])('%s is valid and can be started with its defaults', (name) => {
    const file = `examples/pipelines/${name}`;
    const { pipelines, problems } = parsePipelines({ file, text: readFileSync(file, 'utf8') });
    expect(problems).toEqual([]);
    const [pipeline] = pipelines;
    expect(pipeline && startPipeline({ pipeline })).toMatchObject({ kind: 'Ready', start: { name: name.replace('.yaml', '') } });
  });
});
