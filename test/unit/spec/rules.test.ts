import { readFileSync } from 'node:fs';
import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { file_switchyard_config_v1_config } from '../../../src/gen/switchyard/config/v1/config_pb.js';
import { formatDuration } from '../../../src/spec/duration.ts';
import { isDuration } from '../../../src/spec/leaf.ts';
import { parseServices } from '../../../src/spec/parse.ts';
import { RULED_FIELDS, ruleOf } from '../../../src/spec/rules.ts';

const messages: readonly DescMessage[] = file_switchyard_config_v1_config.messages;
const fields = messages.flatMap((message) => message.fields);
const nameOf = (field: DescField) => `${field.parent.name}.${field.jsonName}`;
const proto = readFileSync('proto/switchyard/config/v1/config.proto', 'utf8');
const page = readFileSync('docs/spec.md', 'utf8');

/** The comment above a field of the proto, as one line. */
function commentOf(field: DescField): string {
  const body = proto.slice(proto.indexOf(`message ${field.parent.name} {`));
  const lines = body.split('\n');
  const at = lines.findIndex((line) => new RegExp(` ${field.name} = ${field.number};$`).test(line));
  const comment: string[] = [];
  for (let index = at - 1; lines[index]?.trim().startsWith('//'); index -= 1) {
    comment.unshift((lines[index] ?? '').trim().slice(3));
  }
  return comment.join(' ');
}

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
      const comment = commentOf(field).toLowerCase();
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

describe('the page docs/spec.md', () => {
  test('begins with a spec that is valid', () => {
    const [, example = ''] = /```yaml\n([^`]*)```/.exec(page) ?? [];
    expect(parseServices({ file: 'docs/spec.md', text: example })).toMatchObject({
      services: [{ spec: { name: 'manager' } }],
      problems: [],
    });
  });

  test('has no section for a message that is gone', () => {
    const sections = [...page.matchAll(/^### (.*)$/gm)].map(([, title = '']) => title);
    expect(sections.toSorted()).toEqual(messages.map(({ name }) => name).toSorted());
  });
});
