/** What is wrong with the PromQL of checks and of the drain: names that nobody replaces, and text that Prometheus would reject. */
import type { Arguments, Check } from '../model/check.ts';
import type { VersionedService } from '../model/spec.ts';
import { describeTemplateProblem, render } from '../verification/templates.ts';
import { error, type Finding, warning, when } from './lint-finding.ts';
import { didYouMean } from './suggest.ts';

/** Values as plain as a name can be: what matters is whether the query can be read. */
const SAMPLE = { service: 'service', version: 'v2', baseline: 'v1', window: '60s' } as const;

interface Template {
  readonly field: string;
  readonly text: string;
  readonly args: Arguments;
}

/** The findings of a check's queries. */
export function lintCheckQueries({ metric }: Check, field: string): readonly Finding[] {
  switch (metric.kind) {
    case 'query':
      return ofTemplates(
        [{ field: `${field}.query.promql`, text: metric.query, args: metric.args }],
        `${field}.query`,
      );
    case 'ratio':
      return ofTemplates(
        [
          { field: `${field}.ratio.events`, text: metric.events, args: metric.args },
          { field: `${field}.ratio.total`, text: metric.total, args: metric.args },
        ],
        `${field}.ratio`,
      );
    case 'histogram':
      return ofTemplates(
        [{ field: `${field}.histogram.buckets`, text: metric.buckets, args: metric.args }],
        `${field}.histogram`,
      );
    case 'builtin':
    case 'http':
    case 'grpc':
    case 'command':
    case 'webhook':
      return [];
  }
}

/** The findings of the query that counts open work. */
export function lintDrainQuery({ drain: { source } }: VersionedService): readonly Finding[] {
  if (source.kind !== 'promql') return [];
  return ofTemplates(
    [{ field: 'spec.drain.promql.query', text: source.query, args: {} }],
    'spec.drain.promql',
  );
}

function ofTemplates(templates: readonly Template[], owner: string): readonly Finding[] {
  const [{ args } = { args: {} }] = templates;
  const used = templates.flatMap(({ text }) =>
    [...text.matchAll(/\{\{\s*args\.([^}\s]+)\s*\}\}/g)].map(([, name]) => name),
  );
  return [
    ...templates.flatMap(ofTemplate),
    ...Object.keys(args)
      .filter((name) => !used.includes(name))
      .map((name) =>
        warning(`${owner}.args.${name}`, `is used nowhere: write {{args.${name}}} where it belongs`),
      ),
  ];
}

function ofTemplate({ field, text, args }: Template): readonly Finding[] {
  const rendered = render({ template: text, values: SAMPLE, args });
  if (rendered.kind === 'problem') {
    const { problem } = rendered;
    const advice = problem.kind === 'UnknownName' ? didYouMean(problem.name, problem.allowed) : '';
    return [error(field, `${describeTemplateProblem(problem)}${advice}`)];
  }
  return when(!/\{\{\s*version\s*\}\}/.test(text), () =>
    warning(field, 'does not hold {{version}}: it says the same of every version'),
  );
}
