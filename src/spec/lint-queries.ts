/** What is wrong with the PromQL of checks, of the drain and of delegates: names that nobody replaces, and text that Prometheus would reject. */
import type { Arguments, Check, CheckMetric } from '../model/check.ts';
import type { VersionedService } from '../model/spec.ts';
import { error, type Finding, warning, when } from './lint-finding.ts';
import { CHECK_NAMES, DRAIN_NAMES, templateProblem } from './promql.ts';

interface Template {
  readonly field: string;
  readonly text: string;
  /** A query answers numbers; of a selector the raw samples are read. */
  readonly as: 'number' | 'selector';
}

/** The findings of a check's queries. */
export function lintCheckQueries({ metric }: Check, field: string): readonly Finding[] {
  const own = `${field}.${metric.kind}`;
  const templates = templatesOf(metric, own);
  const args = 'args' in metric ? metric.args : {};
  return [
    ...templates.flatMap((template) => ofTemplate(template, CHECK_NAMES, args)),
    ...unusedArguments(templates, args, own),
  ];
}

/** The findings of the query that counts open work. */
export function lintDrainQuery({ drain: { source } }: VersionedService): readonly Finding[] {
  if (source.kind !== 'promql') return [];
  return lintCountQuery({
    field: 'spec.drain.promql.query',
    query: source.query,
    label: source.instanceLabel,
    lost: `adds up over all instances, so no series has the label "${source.instanceLabel}" and a zero is never believed: write sum by (${source.instanceLabel}) (...)`,
  });
}

/** The findings of a query that counts for a version, one series for each value of a label. */
export function lintCountQuery(counted: {
  readonly field: string;
  readonly query: string;
  readonly label: string;
  /** What to say where no series can have the label. */
  readonly lost: string;
}): readonly Finding[] {
  const { field, query, label, lost } = counted;
  const findings = ofTemplate({ field, text: query, as: 'number' }, DRAIN_NAMES, {});
  if (findings.some(({ severity }) => severity === 'error')) return findings;
  return [...findings, ...when(losesLabel(query, label), () => warning(field, lost))];
}

/** Whether the query begins with an aggregation, and nothing in it keeps the label. */
function losesLabel(query: string, label: string): boolean {
  if (!/^\s*(?:sum|min|max|avg|count)\b\s*(?:by\b|\()/.test(query)) return false;
  const kept = [...query.matchAll(/\bby\s*\(([^)]*)\)/g)].flatMap(([, names = '']) => names.split(','));
  return !kept.some((name) => name.trim() === label);
}

function templatesOf(metric: CheckMetric, own: string): readonly Template[] {
  switch (metric.kind) {
    case 'query':
      return [{ field: `${own}.promql`, text: metric.query, as: 'number' }];
    case 'ratio':
      return [
        { field: `${own}.events`, text: metric.events, as: 'selector' },
        { field: `${own}.total`, text: metric.total, as: 'selector' },
      ];
    case 'histogram':
      return [{ field: `${own}.buckets`, text: metric.buckets, as: 'selector' }];
    case 'builtin':
    case 'http':
    case 'grpc':
    case 'command':
    case 'webhook':
      return [];
  }
}

function ofTemplate(
  { field, text, as }: Template,
  names: readonly string[],
  args: Arguments,
): readonly Finding[] {
  const problem = templateProblem({ template: text, names, args, as });
  if (problem !== undefined) return [error(field, problem)];
  return when(!/\{\{\s*version\s*\}\}/.test(text), () =>
    warning(field, 'does not hold {{version}}: it says the same of every version'),
  );
}

function unusedArguments(templates: readonly Template[], args: Arguments, own: string): readonly Finding[] {
  const used = templates.flatMap(({ text }) =>
    [...text.matchAll(/\{\{\s*args\.([^}\s]+)\s*\}\}/g)].map(([, name]) => name),
  );
  return Object.keys(args)
    .filter((name) => !used.includes(name))
    .map((name) =>
      warning(`${own}.args.${name}`, `is used nowhere: write {{args.${name}}} where it belongs`),
    );
}
