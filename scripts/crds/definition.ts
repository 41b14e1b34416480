/** What a custom resource of ours is, and its CustomResourceDefinition. */
import type { Schema } from './openapi.ts';

export const GROUP = 'switchyard.dev';
const VERSION = 'v1alpha1';

export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  /** 1: only with `-o wide`. */
  readonly priority?: 1;
}

export interface Definition {
  readonly kind: string;
  readonly plural: string;
  /** What the file is made of, for the line above it. */
  readonly from: string;
  readonly shortNames: readonly string[];
  readonly columns: readonly Column[];
  readonly description: string;
  readonly spec: Schema;
  /** Absent: it has none, and no subresource for one. */
  readonly status?: Schema;
}

export const text = (description: string, maxLength = 1_024): Schema => ({
  type: 'string',
  description,
  maxLength,
});
export const count = (description: string): Schema => ({
  type: 'integer',
  format: 'int64',
  minimum: 0,
  description,
});

export function column(name: string, type: Column['type'], jsonPath: string, description: string): Column {
  return { name, type, jsonPath, description };
}

/** The CustomResourceDefinition of a kind. */
export function crdOf({ kind, plural, shortNames, columns, description, spec, status }: Definition): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames,
        categories: ['switchyard'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          ...(status === undefined ? {} : { subresources: { status: {} } }),
          additionalPrinterColumns: columns,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec,
                ...(status === undefined ? {} : { status }),
              },
            },
          },
        },
      ],
    },
  };
}
