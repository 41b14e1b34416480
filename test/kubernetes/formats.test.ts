// Each format of a text takes the same texts at a real API server as in the parser of documents.
import { beforeEach, describe, expect, test } from 'vitest';
import type { Schema } from '../../scripts/crds/openapi.ts';
import { FORMATS, patternOf } from '../../scripts/crds/patterns.ts';
import type { Kind } from '../../src/adapters/kubernetes/client/objects.ts';
import type { TextFormat } from '../../src/spec/text-formats.ts';
import { type Definition, install, refusal } from '../support/kubernetes/custom-resources.ts';
import { type TestNamespace, testNamespace } from '../support/kubernetes/shared-cluster.ts';

let place: TestNamespace;
beforeEach(async () => {
  place = await testNamespace();
});

describe('a format of text', () => {
  const kind: Kind = {
    group: 'test.switchyard.dev',
    version: 'v1',
    kind: 'Text',
    plural: 'texts',
    scope: 'Namespaced',
  };
  const fieldOf = (index: number): string => `format${index}`;
  const textSchema = (format: TextFormat): Schema => {
    const { pattern, minLength, maxLength = 4_096, rules } = patternOf(format);
    return {
      type: 'string',
      maxLength,
      ...(pattern === undefined ? {} : { pattern }),
      ...(minLength === undefined ? {} : { minLength }),
      ...(rules === undefined ? {} : { 'x-kubernetes-validations': rules }),
    };
  };
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'texts.test.switchyard.dev' },
    spec: {
      group: kind.group,
      scope: 'Namespaced',
      names: { kind: kind.kind, plural: kind.plural },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: Object.fromEntries(
                FORMATS.map((format, index) => [
                  fieldOf(index),
                  { type: 'array', maxItems: 200, items: textSchema(format) },
                ]),
              ),
            },
          },
        },
      ],
    },
  } as Definition;

  /** Texts that one format or another takes, and some that look like them. */
  const TEXTS = [
    '',
    ' ',
    'a',
    'A',
    'v1',
    'v1.2-3',
    '-v1',
    'v1-',
    'a_b',
    '42',
    'x'.repeat(63),
    'x'.repeat(64),
    'x'.repeat(65),
    'x-delegate-version',
    'X-Tenant',
    'host',
    'cookie',
    'x-envoy-a',
    'grpc-a',
    'a-bin',
    'sec-a',
    '1-header',
    'api.example.com',
    '*.example.com',
    '*',
    'a.*.b',
    'a..b',
    '.a',
    'a:80',
    'http://a',
    'https://a.example.com/b?c=d',
    'ftp://a',
    'http://',
    'http://a b',
    'http://a#b',
    '/',
    '/a',
    '/a/',
    '/a/b',
    '/a//b',
    '/a/../b',
    '/a/./b',
    '/a/...',
    '/.a',
    '/a?b=c',
    '/a#b',
    '/ü',
    'pipeline.v1.Tasks',
    '/pipeline.v1.Tasks/Get',
    '.Tasks',
    'Tasks.',
    '1Tasks',
    'A_B',
    'SWITCHYARD_A',
    '1A',
    'GET',
    'get',
    'CONNECT',
    'PATCH',
    'DELETE',
    'RolloutAborted',
    'R',
    'rolloutAborted',
    '00:00',
    '23:59',
    '24:00',
    '1:00',
    '127.0.0.1',
    '::1',
    '[::1]',
    '127.0.0.01',
    '1.2.3',
    '127.0.0.1:9001',
    '[::1]:9001',
    '::1:9001',
    '127.0.0.1:0',
    '127.0.0.1:65536',
    '127.0.0.1:70000',
    '127.0.0.1:00080',
    '127.0.0.1:000080',
    '[::1:9001',
    '[1.2.3.4]:80',
    'a\0b',
    'a\nb',
    'a b',
    ' a',
    'a ',
    'ü',
    '\t',
    'content-length',
  ];

  /** Those of the texts that the server refuses, by what it says of each. */
  async function refused(field: string, texts: readonly string[]): Promise<readonly string[]> {
    const error = await refusal(place, kind, {
      apiVersion: 'test.switchyard.dev/v1',
      kind: 'Text',
      metadata: { name: 'text' },
      [field]: texts,
    });
    const indexes = (error?.causes ?? []).map((cause) => Number(/\[(\d+)\]$/.exec(cause.field)?.[1]));
    return texts.filter((_, index) => indexes.includes(index));
  }

  test('takes the same texts on the server as in the parser', async () => {
    await install(place, definition);
    const differ: string[] = [];
    for (const [index, format] of FORMATS.entries()) {
      const field = fieldOf(index);
      const byShape = await refused(field, TEXTS);
      // Rules in CEL are asked only of what has the right shape.
      const byRule = await refused(
        field,
        TEXTS.filter((text) => !byShape.includes(text)),
      );
      for (const text of TEXTS) {
        const server = byShape.includes(text) || byRule.includes(text) ? 'refuses' : 'takes';
        const parser = format(text) === undefined ? 'takes' : 'refuses';
        if (server !== parser) differ.push(`${format.name} ${JSON.stringify(text)}: the server ${server} it`);
      }
    }
    expect(differ).toEqual([]);
  });
});
