/** The demo's service as a user would write it. */
import { join } from 'node:path';
import { execPath } from 'node:process';

/** The example manager, in this folder's neighbour. */
const MANAGER = join(import.meta.dirname, '..', 'manager', 'main.ts');

/** Its name. */
export const SERVICE = 'manager';

export interface DemoSpec {
  readonly version: string;
  /** The folder of the demo, by which its processes can be told from others. */
  readonly folder: string;
  readonly gatewayPort: number;
  /** The file that all instances of all versions keep executions in. */
  readonly storeFile: string;
  /** `http://127.0.0.1:PORT` of the Prometheus that verifies. */
  readonly prometheus: string;
  /** The first of the ports that instances get. */
  readonly firstPort: number;
}

/** How often Prometheus scrapes, in milliseconds: often, so that a demo takes a minute and not an hour. */
export const SCRAPE_INTERVAL_MS = 500;

/** The version that answers a fifth of its clients' requests with 500; copies of requests do not show it. */
export const BAD_VERSION = 'v3';

/** The weights of a rollout. */
export const STEPS: readonly number[] = [10, 50, 100];

/** Ports that instances may get: two for each of four versions, and some to spare. */
export const INSTANCE_PORTS = 12;

/** So soon the work of a manager or delegate that died is free again, in milliseconds. */
const LEASE_MS = 5000;

/** The document that asks for a version. */
export function demoDocument(spec: DemoSpec): string {
  const { version, folder, gatewayPort, storeFile, prometheus, firstPort } = spec;
  return `# Written by the demo. Ask for another version here, and apply it.
apiVersion: switchyard.dev/v1alpha1
kind: VersionedService
metadata:
  name: ${SERVICE}
spec:
  version: ${version}
  listeners:
    - name: gateway
      address: 127.0.0.1
      port: ${gatewayPort}
      domains: ["*"]
      accessLog: true
  pin:
    allow: { hosts: [127.0.0.1] }
  tenantKey:
    header: x-tenant-id
    allow: { hosts: [127.0.0.1] }
  runtime:
    processes:
      command: [${JSON.stringify(execPath)}, ${JSON.stringify(MANAGER)}, --version, "\${version}", --port, "\${port}", --instance, "\${instance}",
        --store, "sqlite:${storeFile}", --lease-ms, "${LEASE_MS}", --work-ms, "8", --bad-version, ${BAD_VERSION}, --fail-percent, "20", --fail-for, clients]
      environment: { WORLD: ${JSON.stringify(folder)} }
      instances: 2
      ports: { from: ${firstPort}, to: ${firstPort + INSTANCE_PORTS - 1} }
      readiness:
        http: { path: /healthz }
        interval: 250ms
      stopGrace: 15s
  traffic:
    steps: [${STEPS.join(', ')}]
    mirror: { percent: 100, methods: [GET], grpcMethods: [/examples.manager.v1.Manager/WhoAmI] }
  verification:
    prometheus: { url: "${prometheus}", scrapeInterval: ${SCRAPE_INTERVAL_MS}ms, timeout: 2s }
    soak: 5s
    checks:
      - name: errors
        builtin: { metric: SuccessRate }
        limit: { min: 99 }
        # A tenth of the tenants must make twenty requests in it: fewer are not judged.
        interval: 4s
        count: 1
      - name: latency
        builtin: { metric: LatencyP50 }
        compare: { tolerance: 0.5 }
        interval: 1500ms
        count: 2
        # New processes on a busy machine are slow at first: that alone is no reason to go back.
        critical: false
    passScore: 50
  delegates:
    grpc: {}
    onMissing: Wait
  retention: { keep: 2, max: 4 }
  upstream:
    protocol: SameAsClient
    connectTimeout: 1s
  drain:
    workflow: {}
`;
}
