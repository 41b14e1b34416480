/** The demo's service as a user would write it. */
import { join } from 'node:path';
import { execPath } from 'node:process';

/** The example manager, in this folder's neighbour. */
const MANAGER = join(import.meta.dirname, '..', 'manager', 'main.ts');

export interface DemoSpec {
  readonly version: string;
  readonly gatewayPort: number;
  /** The first of the ports that instances get. */
  readonly firstPort: number;
}

/** Ports that instances may get: two for each of three versions, and some to spare. */
export const INSTANCE_PORTS = 10;

/** The document that asks for a version. */
export function demoDocument({ version, gatewayPort, firstPort }: DemoSpec): string {
  return `# Written by the demo. Ask for another version here, and apply it.
apiVersion: switchyard.dev/v1alpha1
kind: VersionedService
metadata:
  name: manager
spec:
  version: ${version}
  listeners:
    - name: gateway
      address: 127.0.0.1
      port: ${gatewayPort}
      domains: ["*"]
  pin:
    allow: { hosts: [127.0.0.1] }
  tenantKey:
    header: x-tenant-id
    allow: { hosts: [127.0.0.1] }
  runtime:
    processes:
      command: [${JSON.stringify(execPath)}, ${JSON.stringify(MANAGER)}, --version, "\${version}", --port, "\${port}", --instance, "\${instance}"]
      instances: 2
      ports: { from: ${firstPort}, to: ${firstPort + INSTANCE_PORTS - 1} }
      readiness:
        http: { path: /healthz }
        interval: 250ms
      stopGrace: 15s
  traffic:
    steps: [10, 50, 100]
  upstream:
    protocol: SameAsClient
    connectTimeout: 1s
  drain:
    http:
      fencePath: /switchyard/drain
      openWorkPath: /switchyard/work
`;
}
