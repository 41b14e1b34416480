import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { DocumentProblem } from '../../src/model/problem.ts';
import { describeEstimate, estimateRollout } from '../../src/spec/estimates.ts';
import { serviceDocument } from '../../src/spec/format.ts';
import { lintService } from '../../src/spec/lint.ts';
import { parseEndpointsFile, parseServices } from '../../src/spec/parse.ts';
import { goldenCases } from '../support/golden-yaml.ts';

function line({ severity, line: row, column, field, message }: DocumentProblem): string {
  return `${row}:${column} ${severity} ${field || '(document)'}: ${message}`;
}

goldenCases({
  folder: 'test/golden/spec',
  stage: (source) => {
    const { services, problems } = parseServices(source);
    return {
      problems: problems.map(line),
      services: services.map(({ spec, place }) => ({
        document: serviceDocument(spec),
        lint: lintService(spec).map((finding) => line(place(finding))),
      })),
    };
  },
});

goldenCases({
  folder: 'test/golden/lint',
  stage: (source) => {
    const { services, problems } = parseServices(source);
    return {
      problems: problems.map(line),
      services: services.map(({ spec, place }) => ({
        name: spec.name,
        lint: lintService(spec).map((finding) => line(place(finding))),
        estimates: describeEstimate(estimateRollout(spec)),
      })),
    };
  },
});

goldenCases({
  folder: 'test/golden/endpoints-file',
  stage: (source) => {
    const { versions, problems } = parseEndpointsFile(source);
    return { problems: problems.map(line), versions };
  },
});

describe('the example specs', () => {
  test.each(['manager.yaml', 'manager-processes.yaml', 'manager-kubernetes.yaml', 'manager-verified.yaml'])('%s is valid', (name) => {
    const file = `examples/specs/${name}`;
    const { services, problems } = parseServices({ file, text: readFileSync(file, 'utf8') });
    expect(problems).toEqual([]);
    expect(services.map(({ spec }) => spec.name)).toEqual(['manager']);
    expect(services.flatMap(({ spec }) => lintService(spec)).filter(({ severity }) => severity === 'error')).toEqual([]);
  });
});
