import { readFileSync } from 'node:fs';
import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { commentOfField } from '../../../scripts/crds/comments.ts';
import { file_switchyard_config_v1_config } from '../../../src/gen/switchyard/config/v1/config_pb.js';
import { file_switchyard_config_v1_delegates } from '../../../src/gen/switchyard/config/v1/delegates_pb.js';
import { file_switchyard_config_v1_drain } from '../../../src/gen/switchyard/config/v1/drain_pb.js';
import { file_switchyard_config_v1_kubernetes } from '../../../src/gen/switchyard/config/v1/kubernetes_pb.js';
import { file_switchyard_config_v1_traffic } from '../../../src/gen/switchyard/config/v1/traffic_pb.js';
import { file_switchyard_config_v1_verification } from '../../../src/gen/switchyard/config/v1/verification_pb.js';
import { file_switchyard_config_v1_watcher } from '../../../src/gen/switchyard/config/v1/watcher_pb.js';
import { formatDuration } from '../../../src/spec/duration.ts';
import { describeEstimate, estimateRollout } from '../../../src/spec/estimates.ts';
import { isDuration } from '../../../src/spec/leaf.ts';
import { lintService } from '../../../src/spec/lint.ts';
import { parseServices } from '../../../src/spec/parse.ts';
import { RULED_FIELDS, ruleOf } from '../../../src/spec/rules.ts';

const files = [
  file_switchyard_config_v1_config,
  file_switchyard_config_v1_kubernetes,
  file_switchyard_config_v1_traffic,
  file_switchyard_config_v1_verification,
  file_switchyard_config_v1_drain,
  file_switchyard_config_v1_delegates,
  file_switchyard_config_v1_watcher,
];
const messages: readonly DescMessage[] = files.flatMap((file) => file.messages);
const fields = messages.flatMap((message) => message.fields);
const nameOf = (field: DescField) => `${field.parent.name}.${field.jsonName}`;
const pages = [
  'docs/spec.md',
  'docs/spec-rollouts.md',
  'docs/spec-checks.md',
  'docs/spec-delegates.md',
  'docs/spec-watcher.md',
].map((file) => ({
  file,
  text: readFileSync(file, 'utf8'),
}));
const page = pages.map(({ text }) => text).join('\n');

/** The row of a field in its message's table on the page. */
function rowOf(field: DescField): string {
  const [, section = ''] = page.split(new RegExp(`^### ${field.parent.name}$`, 'm'));
  const table = section.split(/^##/m)[0] ?? '';
  return table.split('\n').find((line) => line.startsWith(`| \`${field.jsonName}\` |`)) ?? '';
}

/** What a reader must be told of a field, beside its meaning. */
function factsOf(field: DescField): readonly string[] {
  const rule = ruleOf(field);
  const show = (value: number) => (isDuration(field) ? formatDuration(value) : String(value));
  return [
    ...(rule.required === undefined ? [] : ['required']),
    ...(rule.range === undefined ? [] : [`${show(rule.range[0])} to ${show(rule.range[1])}`]),
    ...(rule.default === undefined || rule.default === '{}' ? [] : [rule.default]),
  ];
}

describe('the table of field rules', () => {
  test('names every field of the proto and no other', () => {
    expect([...RULED_FIELDS].toSorted()).toEqual(fields.map(nameOf).toSorted());
  });

  test.each(fields.map((field) => [nameOf(field), field] as const))(
    '%s: a field is required, or has a default, or may be absent',
    (_, field) => {
      const rule = ruleOf(field);
      expect(rule.required !== undefined && rule.default !== undefined).toBe(false);
      // A number or a word that is absent would be read as zero.
      if (
        field.oneof === undefined &&
        field.message === undefined &&
        field.fieldKind !== 'list' &&
        field.fieldKind !== 'map'
      ) {
        const hasPresence =
          field.proto.proto3Optional || rule.required !== undefined || rule.default !== undefined;
        expect(hasPresence).toBe(true);
      }
      if (field.fieldKind === 'list' || field.fieldKind === 'map') expect(rule.size).toBeDefined();
    },
  );

  test.each(fields.map((field) => [nameOf(field), field] as const))(
    '%s: the comment in the proto says the same',
    (_, field) => {
      const comment = commentOfField(field).toLowerCase();
      expect(comment).not.toBe('');
      for (const fact of factsOf(field)) expect(comment).toContain(fact.toLowerCase());
    },
  );

  test.each(fields.map((field) => [nameOf(field), field] as const))(
    '%s: docs/spec.md says the same',
    (_, field) => {
      const row = rowOf(field).toLowerCase();
      expect(row).not.toBe('');
      for (const fact of factsOf(field)) expect(row).toContain(fact.toLowerCase());
    },
  );
});

/** The first YAML of a page. */
function exampleOf(file: string): string {
  const [, example = ''] = /```yaml\n([^`]*)```/.exec(readFileSync(file, 'utf8')) ?? [];
  return example;
}

describe('the pages of the spec', () => {
  test.each(['docs/spec.md', 'docs/spec-rollouts.md'])('%s begins with a spec that is valid', (file) => {
    const { services, problems } = parseServices({ file, text: exampleOf(file) });
    expect(problems).toEqual([]);
    expect(services.map(({ spec }) => spec.name)).toEqual(['manager']);
  });

  test('docs/spec-rollouts.md begins with a spec that lint has nothing to say of, and quotes its two times', () => {
    const [service] = parseServices({ file: 'a.yaml', text: exampleOf('docs/spec-rollouts.md') }).services;
    if (service === undefined) throw new Error('the page holds no spec');
    expect(lintService(service.spec)).toEqual([]);
    for (const sentence of describeEstimate(estimateRollout(service.spec))) expect(page).toContain(sentence);
  });

  test('docs/spec-checks.md begins with a verification that is valid', () => {
    const verification = exampleOf('docs/spec-checks.md').replaceAll(/^/gm, '  ');
    const { services, problems } = parseServices({
      file: 'a.yaml',
      text: exampleOf('docs/spec.md') + verification,
    });
    expect(problems).toEqual([]);
    expect(services.flatMap(({ spec }) => spec.verification?.checks.map(({ name }) => name))).toEqual([
      'smoke',
      'errors',
      'failed-tasks',
      'release-gate',
    ]);
  });

  test('have no section for a message that is gone', () => {
    const sections = [...page.matchAll(/^### (.*)$/gm)].map(([, title = '']) => title);
    expect(sections.toSorted()).toEqual(messages.map(({ name }) => name).toSorted());
  });
});
