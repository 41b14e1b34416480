/**
 * Documents of services as tests write them: only what differs between tests is asked for. The text is JSON, which is
 * YAML too.
 */

export interface ServiceDocument {
  readonly name: string;
  readonly version: string;
  /** On loopback. */
  readonly listeners: readonly {
    readonly name: string;
    readonly port: number;
    readonly domains?: readonly string[];
    readonly accessLog?: boolean;
  }[];
  /** As in `spec.runtime`. */
  readonly runtime: object;
  /** Further parts of the spec: `traffic`, `verification`, … */
  readonly more?: object;
}

/** One document. The example manager's paths say what is open. */
export function serviceDocument({ name, version, listeners, runtime, more }: ServiceDocument): string {
  return JSON.stringify({
    apiVersion: 'switchyard.dev/v1alpha1',
    kind: 'VersionedService',
    metadata: { name },
    spec: {
      version,
      listeners: listeners.map((listener) => ({ domains: ['*'], address: '127.0.0.1', ...listener })),
      pin: { allow: { everywhere: true } },
      tenantKey: { header: 'x-tenant-id', allow: { everywhere: true } },
      runtime,
      upstream: { protocol: 'SameAsClient', connectTimeout: '1s' },
      drain: { http: { fencePath: '/switchyard/drain', openWorkPath: '/switchyard/work' } },
      ...more,
    },
  });
}
